/** `siru registry scrub`. */
import { SiruError } from '../../base/errors.ts';
import type { Finding } from '../../registry/scrub/finding.ts';
import { remoteSource } from '../../registry/scrub/remote-source.ts';
import { defaultRate, scrub } from '../../registry/scrub/scrub.ts';
import { createRemote } from '../../remote/client.ts';
import type { Call } from '../call.ts';
import type { RegistryFlags } from '../commands/registry.ts';
import { registryOptions } from '../registry-flags.ts';
import { humanSize, parseSize } from '../units.ts';
import { openRegistry } from './open-registry.ts';
import { configurationOf } from './serve.ts';

/** Manifests and tags that are told of one finding. */
const mostHits = 20;

/** Gives 1 when something stays broken. */
export async function scrubRegistry(call: Call, flags: RegistryFlags): Promise<number> {
  const configuration = await configurationOf(flags);
  const rate = flags.rate === undefined ? defaultRate : parseSize(flags.rate);
  if (rate === undefined || rate <= 0) throw new SiruError('USAGE', `--rate ${flags.rate}: not a size such as 100MB`);
  await using storage = await openRegistry(call, configuration);
  const upstreams = configuration.upstreams ?? [];
  const registries = registryOptions(call, { insecureRegistry: [...flags.insecureRegistry, ...upstreams.filter(({ insecure }) => insecure).map(({ registry }) => registry.split('/')[0]!)] });
  await using remote = createRemote({ registries });
  let [broken, repaired, tidied] = [0, 0, 0];
  const counts = await scrub(storage.core, {
    rate,
    signal: call.signal,
    sources: [
      ...flags.from.map((place) => remoteSource(remote, place, { signal: call.signal })),
      ...upstreams.map(({ registry, prefix = '' }) => remoteSource(remote, registry, { prefix, signal: call.signal })),
    ],
    onFinding: (finding) => {
      if (!finding.damage) tidied++;
      else if (finding.mended === undefined) broken++;
      else repaired++;
      call.print(textOf(finding));
    },
  });
  call.print(`Checked ${counts.blobs} blobs (${humanSize(counts.bytes)}), ${counts.manifests} manifests and ${counts.layouts} layouts: ${broken} broken, ${repaired} repaired, ${tidied} tidied\n`);
  if (broken > 0) call.tell('What is broken is not served. Push it again, or bring it from a registry that has it: siru registry scrub --from REGISTRY\n');
  return broken > 0 ? 1 : 0;
}

function textOf({ what, digest, name, bytes, hit, mended }: Finding): string {
  const lines = [`${what} ${[name, digest].filter((part) => part !== undefined).join('@')} (${humanSize(bytes)}): ${mended ?? 'NOT REPAIRED'}`];
  for (const { repository, manifests, tags } of hit) {
    const list = (items: readonly string[]): string => items.length > mostHits ? `${items.slice(0, mostHits).join(', ')} and ${items.length - mostHits} more` : items.join(', ');
    lines.push(`    ${repository}${tags.length > 0 ? `: ${list(tags)}` : ''}${manifests.length > 0 ? ` (${list(manifests)})` : ''}`);
  }
  return `${lines.join('\n')}\n`;
}
