/** A docker archive with one image of these layers, byte for byte as given. */
import { createHash } from 'node:crypto';
import { rawTar } from './tar.ts';

export function imageArchive(name: string, layers: readonly Uint8Array[]): Buffer {
  const hex = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
  const config = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch, os: 'linux', config: { Cmd: ['sh'], Env: ['PATH=/bin'] },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => `sha256:${hex(layer)}`) },
  });
  const files = layers.map((layer, index) => ({ name: `${index}.tar`, text: layer }));
  const manifest = JSON.stringify([{ Config: `${hex(config)}.json`, RepoTags: [name], Layers: files.map((file) => file.name) }]);
  return rawTar([{ name: `${hex(config)}.json`, text: config }, ...files, { name: 'manifest.json', text: manifest }]);
}
