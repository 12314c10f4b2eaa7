/** The content of a registry, for commands that work beside its servers. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { SiruError, messageOf } from '../../base/errors.ts';
import type { Configuration } from '../../registry/config/configuration.ts';
import { defaultRegistryRoot } from '../../registry/default-root.ts';
import { openFileStorage } from '../../registry/files/open.ts';
import type { FileStorage } from '../../registry/files/open.ts';
import { ownFolder } from '../../registry/files/paths.ts';
import type { Call } from '../call.ts';

/** Throws STORE where there is none. */
export function openRegistry(call: Call, { root = defaultRegistryRoot() }: Configuration): Promise<FileStorage> {
  if (!existsSync(join(root, ownFolder, 'registry.db'))) {
    throw new SiruError('STORE', `there is no registry at ${root}`, { hint: 'Name its folder with --root, or its configuration with --config.' });
  }
  return openFileStorage({ root, onError: (error) => call.tell(`siru registry: ${messageOf(error)}\n`) });
}
