/** The public keys of another issuer (JWKS), from an address or a file, with new ones fetched when a token names one that is not known. */
import { readFile, stat } from 'node:fs/promises';
import type { JWTVerifyGetKey } from 'jose';
import { SiruError, messageOf } from '../../base/errors.ts';

/** Bytes of a set of keys, and keys in it. */
const largestKeySet = 262_144;
const mostKeys = 100;
/** Milliseconds after which it is fetched again, and until which an unknown key asks for another set only once. */
const freshTime = 600_000;
const coolTime = 15_000;
const fileCoolTime = 1000;
/** Milliseconds for which a set is used when no new one can be had. */
const staleTime = 86_400_000;
/** Milliseconds that a fetch may take. */
const fetchTime = 10_000;

export interface KeySet {
  /** Throws when no key fits. */
  find: JWTVerifyGetKey;
}

export function createKeySet(place: string, onError: (error: unknown) => void): KeySet {
  const isFile = place.startsWith('/');
  let finder: JWTVerifyGetKey | undefined;
  let at = -Infinity;
  let tried = -Infinity;
  let running: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    tried = Date.now();
    try {
      const keys = parseKeySet(isFile ? await readKeys(place) : await fetchKeys(place));
      finder = (await import('jose')).createLocalJWKSet({ keys });
      at = Date.now();
    } catch (error) {
      onError(new SiruError('CONFIG', `cannot get the keys ${place}: ${messageOf(error)}`, { cause: error }));
    }
  };
  /** Undefined when it was done a moment ago. */
  const renew = (): Promise<void> | undefined => {
    if (running === undefined && Date.now() - tried > (isFile ? fileCoolTime : coolTime)) running = load().finally(() => (running = undefined));
    return running;
  };
  const usable = (): JWTVerifyGetKey | undefined => (Date.now() - at < staleTime ? finder : undefined);
  return {
    async find(header, token) {
      if (usable() === undefined) await renew();
      else if (Date.now() - at > freshTime) void renew();
      const before = usable();
      if (before === undefined) throw new Error('the keys of the issuer cannot be had');
      try {
        return await before(header, token);
      } catch (error) {
        await renew();
        if (finder === before) throw error;
        return finder!(header, token);
      }
    },
  };
}

function parseKeySet(text: string): object[] {
  const { keys } = JSON.parse(text) as { keys?: unknown };
  if (!Array.isArray(keys)) throw new Error('there is no list of keys');
  return keys.slice(0, mostKeys).filter((key): key is object => typeof key === 'object' && key !== null);
}

async function readKeys(path: string): Promise<string> {
  if ((await stat(path)).size > largestKeySet) throw new Error(`it is larger than ${largestKeySet} bytes`);
  return readFile(path, 'utf8');
}

async function fetchKeys(url: string): Promise<string> {
  const response = await fetch(url, { redirect: 'error', signal: AbortSignal.timeout(fetchTime), headers: { accept: 'application/json' } });
  if (response.status !== 200) throw new Error(`the answer is ${response.status}`);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > largestKeySet) throw new Error(`it is larger than ${largestKeySet} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks).toString('utf8');
}
