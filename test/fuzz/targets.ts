/** All targets. */
import type { Target } from './target.ts';
import { archive } from './targets/archive.ts';
import { cache } from './targets/cache.ts';
import { dockerConfig } from './targets/docker-config.ts';
import { dockerfile } from './targets/dockerfile.ts';
import { documents } from './targets/documents.ts';
import { expand } from './targets/expand.ts';
import { ignore } from './targets/ignore.ts';
import { layer } from './targets/layer.ts';
import { lock } from './targets/lock.ts';
import { names } from './targets/names.ts';
import { plan } from './targets/plan.ts';
import { registry } from './targets/registry.ts';
import { registryAccess } from './targets/registry-access.ts';
import { sources } from './targets/sources.ts';
import { tar } from './targets/tar.ts';
import { template } from './targets/template.ts';

export const targets: readonly Target[] = [dockerfile, expand, ignore, plan, tar, layer, archive, documents, cache, lock, names, sources, registry, registryAccess, template, dockerConfig];

/** Throws for a name that none has. */
export function targetOf(name: string): Target {
  const target = targets.find((one) => one.name === name);
  if (!target) throw new Error(`no target ${name}; there are ${targets.map((one) => one.name).join(', ')}`);
  return target;
}
