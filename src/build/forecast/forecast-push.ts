/** What a push of a build's result would send: each layer asked for by HEAD, nothing sent. */
import { knownCompressed } from '../../images/compress.ts';
import { createMountSources } from '../../images/mount-sources.ts';
import { together } from '../../images/together.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { compressionOf } from '../../oci/media-types.ts';
import { familiarReference, parseReferenceWithTag } from '../../oci/reference.ts';
import type { SharedSession } from '../shared-session.ts';
import type { ForecastPush, PushedLayer } from './forecast.ts';
import type { ForecastLayer } from './forecast-layers.ts';

const parallel = 4;

export async function forecastPush(shared: SharedSession, name: string, targets: readonly { platform: string; layers: readonly ForecastLayer[] }[]): Promise<ForecastPush> {
  const { store, context } = shared;
  const reference = parseReferenceWithTag(name);
  const remote = await shared.remote();
  const mounts = createMountSources(store, reference);
  const asked = new Map<string, Promise<boolean>>();
  const all = targets.flatMap(({ platform, layers }) => layers.map((layer) => ({ platform, layer })));
  const layers = await together(all, parallel, context, async ({ platform, layer }, inner): Promise<PushedLayer> => {
    const { step, size } = layer;
    const told = { platform, ...(step && { step: step.number }), text: step?.text ?? 'base' };
    const blob = blobOf(store, layer);
    if (!blob) return { ...told, state: layer.diffId === undefined ? 'unknown' : 'send', ...(size === undefined ? {} : { uncompressed: size }) };
    let asking = asked.get(blob.digest);
    if (!asking) asked.set(blob.digest, (asking = remote.hasBlob(reference, blob, inner)));
    const state = (await asking) ? 'there' : mounts.repositoryOf(blob.digest) === undefined ? 'send' : 'mount';
    return { ...told, state, digest: blob.digest, size: blob.size };
  });
  const sent = new Map(layers.flatMap(({ state, digest, size, uncompressed }, i): [string, number][] => (state === 'send' ? [[digest ?? `layer ${i}`, size ?? uncompressed ?? 0]] : [])));
  return { name: familiarReference(reference), layers, bytes: [...sent.values()].reduce((sum, size) => sum + size, 0) };
}

/** The blob that a push sends of the layer; undefined for one that it would have to make first. */
function blobOf(store: SharedSession['store'], { diffId, descriptor }: ForecastLayer): Pick<Descriptor, 'digest' | 'size'> | undefined {
  if (diffId === undefined || !descriptor) return undefined;
  if (compressionOf(descriptor.mediaType) !== 'none') return descriptor;
  return knownCompressed(store, { diffId, descriptor }, { compression: 'gzip', docker: false });
}
