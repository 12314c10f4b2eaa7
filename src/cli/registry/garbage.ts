/** `siru registry gc` and `siru registry du`. */
import { SiruError } from '../../base/errors.ts';
import { collect } from '../../registry/garbage/collect.ts';
import { collectDry } from '../../registry/garbage/dry-run.ts';
import type { Removal } from '../../registry/garbage/ground.ts';
import { policyOf } from '../../registry/garbage/policy.ts';
import { registryUsage } from '../../registry/garbage/usage.ts';
import type { RepositoryUsage } from '../../registry/garbage/usage.ts';
import type { Call } from '../call.ts';
import type { RegistryFlags } from '../commands/registry.ts';
import { formatListing } from '../format.ts';
import { humanSize } from '../units.ts';
import { openRegistry } from './open-registry.ts';
import { configurationOf } from './serve.ts';

export async function gc(call: Call, flags: RegistryFlags): Promise<number> {
  const configuration = await configurationOf(flags);
  await using storage = await openRegistry(call, configuration);
  const removed: Removal[] = [];
  const options = { policy: policyOf(configuration.garbage), signal: call.signal, onRemoved: (one: Removal) => removed.push(one) };
  const outcome = await (flags.dryRun ? collectDry(storage.core, options) : collect(storage.core, { ...options, share: 1 }));
  if (outcome === 'another collects') throw new SiruError('STORE', 'a server of this registry is collecting now', { hint: 'Nothing is wrong: it does the same. Try again later.' });
  if (outcome === 'the clock stepped') {
    throw new SiruError('STORE', 'the clock of a server was set a short time ago: nothing is old enough for sure', { hint: 'Try again after the grace time.' });
  }
  if (removed.length > 0) {
    call.print(formatListing({
      rows: removed,
      columns: ['What', 'Of', 'Size', 'Why'],
      fields: [
        { name: 'What', heading: 'WHAT', of: ({ what }) => what },
        { name: 'Of', heading: 'OF', of: nameOf },
        { name: 'Size', heading: 'SIZE', of: ({ bytes }) => humanSize(bytes) },
        { name: 'Why', heading: 'WHY', of: ({ why }) => why },
      ],
    }, undefined));
  }
  const bytes = removed.reduce((sum, one) => sum + one.bytes, 0);
  call.print(`${flags.dryRun ? 'Would remove' : 'Removed'} ${removed.length} ${removed.length === 1 ? 'thing' : 'things'}, ${humanSize(bytes)}\n`);
  if (outcome === 'interrupted') {
    call.tell('siru registry: interrupted; the next collection goes on from here\n');
    return 130;
  }
  return 0;
}

function nameOf({ repository, digest, name }: Removal): string {
  const thing = digest ?? name;
  return thing === undefined ? repository! : repository === undefined ? thing : `${repository}@${thing}`;
}

export async function du(call: Call, flags: RegistryFlags, names: string[]): Promise<void> {
  const configuration = await configurationOf(flags);
  await using storage = await openRegistry(call, configuration);
  const usage = registryUsage(storage.core, names.length > 0 ? names : undefined);
  const absent = names.find((name) => !usage.repositories.some((one) => one.name === name));
  if (absent !== undefined) throw new SiruError('NOT_FOUND', `the registry has no repository ${absent}`);
  const field = (name: string, heading: string, of: (row: RepositoryUsage) => unknown) => ({ name, heading, of });
  call.print(formatListing({
    rows: usage.repositories,
    columns: ['Repository', 'Tags', 'Manifests', 'Blobs', 'Size', 'Alone'],
    fields: [
      field('Repository', 'REPOSITORY', ({ name }) => name),
      field('Tags', 'TAGS', ({ tags }) => tags),
      field('Manifests', 'MANIFESTS', ({ manifests }) => manifests),
      field('Blobs', 'BLOBS', ({ blobs }) => blobs),
      field('Size', 'SIZE', ({ bytes }) => humanSize(bytes)),
      field('Alone', 'ALONE', ({ alone }) => humanSize(alone)),
    ],
  }, undefined));
  const { blobs, manifests, uploads } = usage;
  call.print(`\n${humanSize(usage.bytes)} on disk (${usage.bytes} bytes): ${blobs.count} blobs ${humanSize(blobs.bytes)}, ${manifests.count} manifests ${humanSize(manifests.bytes)}, ${uploads.count} uploads ${humanSize(uploads.bytes)}\n`);
}
