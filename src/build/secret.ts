/** The bytes of a secret that was given to the build. */
import { readFile, stat } from 'node:fs/promises';
import type { Context } from '../base/context.ts';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import type { Secret } from './options.ts';

/** Largest file of a secret, in bytes; BuildKit's limit. */
export const maxSecretSize: number = 500 * 1024;

/** Throws CONTEXT when its file cannot be read. A variable that is not set is an empty secret, with a warning. */
export async function readSecret(secret: Secret, context: Context): Promise<Uint8Array> {
  const { id } = secret;
  if ('value' in secret) return typeof secret.value === 'string' ? Buffer.from(secret.value) : secret.value;
  if ('env' in secret) {
    const value = process.env[secret.env];
    if (value === undefined) context.emit({ type: 'warning', text: `secret ${id} is empty: the environment variable ${secret.env} is not set` });
    return Buffer.from(value ?? '');
  }
  let size: number;
  try {
    size = (await stat(secret.file)).size;
    if (size <= maxSecretSize) return await readFile(secret.file);
  } catch (error) {
    throw new SiruError('CONTEXT', `secret ${id}: cannot read ${secret.file}: ${errnoOf(error) === 'ENOENT' ? 'there is no such file' : messageOf(error)}`, { cause: error });
  }
  throw new SiruError('CONTEXT', `secret ${id}: ${secret.file} has ${size} bytes; a secret may have ${maxSecretSize}`);
}
