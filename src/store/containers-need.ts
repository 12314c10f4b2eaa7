/** What the containers of the store stand on, from containers/<id>/container.json. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface ContainersNeed {
  layers: Set<string>;
  /** Digests as the containers give them: of an image's manifest, index or config. */
  images: Set<string>;
}

const largest = 4 * 1024 * 1024;

/** A container whose file is half written or damaged needs nothing: it cannot be started. */
export function containersNeed(root: string): ContainersNeed {
  const need: ContainersNeed = { layers: new Set(), images: new Set() };
  for (const id of namesIn(join(root, 'containers'))) {
    try {
      const file = join(root, 'containers', id, 'container.json');
      if (statSync(file).size > largest) continue;
      const { layers, image } = JSON.parse(readFileSync(file, 'utf8')) as { layers?: unknown; image?: unknown };
      if (Array.isArray(layers)) for (const layer of layers as unknown[]) if (typeof layer === 'string') need.layers.add(layer);
      if (typeof image === 'string') need.images.add(image);
    } catch {}
  }
  return need;
}

/** The names in a folder; none when it is not there. */
export function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
