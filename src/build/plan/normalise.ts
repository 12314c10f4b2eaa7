/** What of a RUN enters its key, in named parts, so that a miss can be told in the user's words. Pure. */
import { stableJson } from '../../base/json.ts';
import type { KeyPart } from '../../store/store.ts';
import type { RunMountPlan, RunPlan } from '../step-plan.ts';
import { isSensitiveName } from '../../dockerfile/checks/secrets-used-in-arg-or-env.ts';
import { sha256 } from '../../oci/digest.ts';
import { needlesOf } from '../guard/needles-of.ts';
import { splitVariable } from './variables.ts';

/** Each name once. The content of mounts and the values of secrets are not among the parts. */
export function runKeyParts(plan: RunPlan): KeyPart[] {
  const parts: KeyPart[] = [
    { name: 'command', value: stableJson(plan.args) },
    { name: 'user', value: plan.user },
    { name: 'workdir', value: plan.cwd },
    { name: 'network', value: plan.network },
    { name: 'security', value: plan.security },
    ...(plan.hostname === 'buildkitsandbox' ? [] : [{ name: 'host name', value: plan.hostname }]),
  ];
  if (plan.script) parts.push({ name: 'script', value: plan.script.content });
  const fromArguments = new Set(plan.argumentNames);
  for (const [name, value] of plan.env.map(splitVariable)) {
    // What is remembered of a step, and may travel with it, holds no secret.
    const kept = isSensitiveName(name) && needlesOf(Buffer.from(value)).length > 0 ? sha256(`${name}=${value}`) : value;
    parts.push({ name: `${fromArguments.has(name) ? 'build argument' : 'environment'} ${name}`, value: kept });
  }
  for (const mount of plan.mounts) parts.push({ name: mountName(mount), value: stableJson(mountValue(mount)) });
  return distinct(parts);
}

/** Numbers the parts whose name was there before: `mount /a`, `mount /a (2)`. */
export function distinct(parts: readonly KeyPart[]): KeyPart[] {
  const taken = new Set<string>();
  return parts.map((part) => {
    let { name } = part;
    for (let number = 2; taken.has(name); number++) name = `${part.name} (${number})`;
    taken.add(name);
    return { ...part, name };
  });
}

function mountName(mount: RunMountPlan): string {
  if (mount.target !== undefined) return `mount ${mount.target}`;
  return mount.type === 'secret' && mount.env !== undefined ? `mount of secret ${mount.env}` : `mount of ${mount.type} ${'id' in mount ? mount.id : ''}`;
}

/** Where the files come from is left out: their content has a part of its own. */
function mountValue(mount: RunMountPlan): object {
  if (mount.type !== 'bind' && mount.type !== 'cache') return mount;
  const { from: _, ...rest } = mount;
  return rest;
}
