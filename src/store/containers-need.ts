/** What the containers of the store, and the failed steps that it keeps, stand on. */
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface ContainersNeed {
  layers: Set<string>;
  /** Digests as the containers give them: of an image's manifest, index or config. */
  images: Set<string>;
}

const largest = 4 * 1024 * 1024;

/**
 * One whose file is half written or damaged needs nothing: it cannot be started. `ending` are names of failed steps that are
 * about to be removed.
 */
export function containersNeed(root: string, ending: ReadonlySet<string> = new Set()): ContainersNeed {
  const need: ContainersNeed = { layers: new Set(), images: new Set() };
  const files = [
    ...namesIn(join(root, 'containers')).map((id) => join(root, 'containers', id, 'container.json')),
    ...namesIn(join(root, 'failed')).flatMap((name) => (ending.has(name) ? [] : [join(root, 'failed', name, 'step.json')])),
  ];
  for (const file of files) {
    try {
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
