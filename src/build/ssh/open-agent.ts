/** An SSH agent for a build: one that runs already, or one of the build's own for private keys in files. */
import { readFileSync, statSync, type Stats } from 'node:fs';
import { SiruError, messageOf } from '../../base/errors.ts';
import type { SshAgent } from '../options.ts';
import { serveKeys } from './agent.ts';
import { parsePrivateKey, type PrivateKey } from './private-key.ts';

/** More bytes than any key has. */
const maxKeyFile = 100_000;

export interface OpenedAgent extends Disposable {
  /** Of its socket. */
  path: string;
}

/** Throws CONTEXT when a path is neither a socket nor a private key without a passphrase. */
export async function openAgent({ id, paths }: SshAgent): Promise<OpenedAgent> {
  const keys: PrivateKey[] = [];
  for (const path of paths) {
    const stat = statOf(id, path);
    if (stat.isSocket()) {
      if (paths.length > 1) throw new SiruError('CONTEXT', `SSH agent ${id}: ${path} is a socket; it is either one socket or keys`);
      return { path, [Symbol.dispose]() {} };
    }
    if (!stat.isFile() || stat.size > maxKeyFile) throw new SiruError('CONTEXT', `SSH agent ${id}: ${path} is neither a socket nor a private key`);
    try {
      keys.push(parsePrivateKey(readFileSync(path, 'utf8'), path));
    } catch (error) {
      throw new SiruError('CONTEXT', `SSH agent ${id}: ${messageOf(error)}`, { cause: error, hint: 'Add the key to an agent, which asks for a passphrase, and pass that on: ssh-add KEY, then --ssh default' });
    }
  }
  return serveKeys(keys);
}

function statOf(id: string, path: string): Stats {
  try {
    return statSync(path);
  } catch (error) {
    throw new SiruError('CONTEXT', `SSH agent ${id}: cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}
