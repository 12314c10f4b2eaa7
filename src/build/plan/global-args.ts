/** Arguments from before the first FROM, and the automatic ones: what FROM may use. Pure. */
import { expandWord } from '../../dockerfile/expand.ts';
import type { Dockerfile } from '../../dockerfile/instruction.ts';
import type { SourceText } from '../../dockerfile/errors.ts';
import { fault } from '../../dockerfile/errors.ts';
import { placed } from './placed.ts';
import { maxPlanWork } from './work.ts';
import { formatPlatform, type Platform } from '../../oci/platform.ts';

/** The platform arguments and TARGETSTAGE; `--build-arg` wins over them. */
export function automaticArgs(target: string, targetPlatform: Platform, buildPlatform: Platform, buildArgs: Readonly<Record<string, string>>): Map<string, string> {
  const args = new Map<string, string>();
  const platforms: [string, Platform][] = [
    ['BUILD', buildPlatform],
    ['TARGET', targetPlatform],
  ];
  for (const [prefix, platform] of platforms) {
    args.set(`${prefix}PLATFORM`, formatPlatform(platform));
    args.set(`${prefix}OS`, platform.os);
    args.set(`${prefix}OSVERSION`, platform['os.version'] ?? '');
    args.set(`${prefix}ARCH`, platform.architecture);
    args.set(`${prefix}VARIANT`, platform.variant ?? '');
  }
  args.set('TARGETSTAGE', target === '' ? 'default' : target);
  for (const name of args.keys()) if (Object.hasOwn(buildArgs, name)) args.set(name, buildArgs[name]!);
  return args;
}

/** `args` and after them the declarations of the file, one after another: each default sees those before it. Throws DOCKERFILE. */
export function evaluateGlobalArgs(dockerfile: Dockerfile, args: ReadonlyMap<string, string>, buildArgs: Readonly<Record<string, string>>, source: SourceText): Map<string, string> {
  const values = new Map(args);
  let work = 0;
  const onWork = (units: number): void => {
    if ((work += units) > maxPlanWork) throw fault(`the arguments before the first FROM are too much work: more than ${maxPlanWork} characters of values`);
  };
  for (const instruction of dockerfile.globalArgs) {
    for (const { name, value } of instruction.args) {
      if (Object.hasOwn(buildArgs, name)) values.set(name, buildArgs[name]!);
      else if (value !== undefined) {
        values.set(name, placed(source, instruction.lines, () => expandWord(value, (other) => values.get(other), { escape: dockerfile.escape, onWork }).result));
      }
    }
  }
  return values;
}

/** Names that mean something without any ARG. */
const predefined = /^(?:(?:HTTP|HTTPS|FTP|NO|ALL)_PROXY|(?:http|https|ftp|no|all)_proxy|SOURCE_DATE_EPOCH|BUILDKIT_[A-Z_]+)$/;

/** Names of `--build-arg` that nothing in the file declares, sorted. */
export function unconsumedArgs(dockerfile: Dockerfile, automatic: ReadonlyMap<string, string>, buildArgs: Readonly<Record<string, string>>): string[] {
  const declared = new Set<string>();
  for (const { args } of dockerfile.globalArgs) for (const { name } of args) declared.add(name);
  for (const { instructions } of dockerfile.stages) {
    for (const instruction of instructions) {
      if (instruction.kind === 'arg') for (const { name } of instruction.args) declared.add(name);
    }
  }
  return Object.keys(buildArgs)
    .filter((name) => !declared.has(name) && !automatic.has(name) && !predefined.test(name))
    .toSorted();
}

/** The proxy variables among `--build-arg`, in both spellings, for RUN. */
export function proxyArgs(buildArgs: Readonly<Record<string, string>>): Record<string, string> {
  const proxy: Record<string, string> = {};
  for (const name of Object.keys(buildArgs).toSorted()) {
    if (!/^(?:http|https|ftp|no|all)_proxy$/i.test(name)) continue;
    proxy[name.toUpperCase()] = buildArgs[name]!;
    proxy[name.toLowerCase()] = buildArgs[name]!;
  }
  return proxy;
}
