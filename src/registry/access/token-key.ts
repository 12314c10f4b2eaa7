/** The private key that signs the registry's own tokens. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../../base/errors.ts';
import { openWatchedFile } from './watched-file.ts';
import type { WatchedFile } from './watched-file.ts';

export interface TokenKey {
  secret: KeyObject;
  public: KeyObject;
  algorithm: 'ES256' | 'EdDSA' | 'RS256';
}

/** Bytes of a key file. */
const largestKey = 65_536;

/** Makes the key when the file is not there, readable by nobody else. Another key that is put there is used from then on. Throws CONFIG. */
export function openTokenKey(path: string, onError: (error: unknown) => void): WatchedFile<TokenKey> {
  makeKey(path);
  return openWatchedFile({ path, largest: largestKey, parse: parseKey, onError });
}

function parseKey(text: string): TokenKey {
  let secret: KeyObject;
  try {
    secret = createPrivateKey(text);
  } catch {
    // The reason may show a part of the key.
    throw new Error('it has no private key in PEM without a passphrase');
  }
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = secret;
  const algorithm = type === 'ed25519' ? 'EdDSA' : type === 'ec' && details?.namedCurve === 'prime256v1' ? 'ES256' : type === 'rsa' && (details?.modulusLength ?? 0) >= 2048 ? 'RS256' : undefined;
  if (algorithm === undefined) throw new Error('the key is not EC P-256, Ed25519 or RSA of 2048 bits');
  return { secret, public: createPublicKey(secret), algorithm };
}

function makeKey(path: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    const file = openSync(draft, 'wx', 0o600);
    try {
      writeSync(file, String(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' })));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    // Whole or not at all, and of several servers that start at once the first one's.
    linkSync(draft, path);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw new SiruError('CONFIG', `cannot make the key ${path}: ${messageOf(error)}`, { cause: error });
  } finally {
    rmSync(draft, { force: true });
  }
}
