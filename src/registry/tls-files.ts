/** Certificate and key from files, taken anew while the server listens when they change. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { Server as TlsServer } from 'node:https';
import { SiruError, messageOf } from '../base/errors.ts';

export interface TlsPaths {
  certificate: string;
  key: string;
  /** Certificates of authorities: only clients with a certificate of one of them are served. */
  clients?: string;
}

export interface TlsFiles {
  certificate: string;
  key: string;
  clients?: string;
}

/** Milliseconds between two looks. */
const lookInterval = 2000;

/** Throws CONFIG for what cannot be read, is no certificate, or does not belong together. */
export function readTlsFiles({ certificate, key, clients }: TlsPaths): TlsFiles {
  const files = { certificate: read(certificate), key: read(key), ...(clients !== undefined && { clients: read(clients) }) };
  const parse = <Value>(path: string, what: string, make: () => Value): Value => {
    try {
      return make();
    } catch {
      // The reason may show a part of the key.
      throw new SiruError('CONFIG', `${path} has no ${what} in PEM`);
    }
  };
  const first = parse(certificate, 'certificate', () => new X509Certificate(files.certificate));
  const secret = parse(key, 'private key without a passphrase', () => createPrivateKey(files.key));
  if (clients !== undefined) parse(clients, 'certificate', () => new X509Certificate(files.clients!));
  if (!first.checkPrivateKey(secret)) throw new SiruError('CONFIG', `the key ${key} is not that of the certificate ${certificate}`);
  return files;
}

/** Connections that are made after a change get the new certificate; what is wrong is told, and the old one stays. */
export function watchTlsFiles(server: Pick<TlsServer, 'setSecureContext'>, paths: TlsPaths, onError: (error: unknown) => void): Disposable {
  let seen = signatureOf(paths);
  const timer = setInterval(() => {
    const now = signatureOf(paths);
    if (now === seen) return;
    seen = now;
    try {
      server.setSecureContext(secureContextOf(readTlsFiles(paths)));
    } catch (error) {
      onError(error);
    }
  }, lookInterval);
  timer.unref();
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** In Node's words. */
export function secureContextOf({ certificate, key, clients }: TlsFiles): { cert: string; key: string; ca?: string } {
  return { cert: certificate, key, ...(clients !== undefined && { ca: clients }) };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new SiruError('CONFIG', `cannot read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function signatureOf(paths: TlsPaths): string {
  return Object.values(paths).map((path: string) => {
    try {
      const { mtimeMs, ctimeMs, size, ino } = statSync(path);
      return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
    } catch {
      return 'gone';
    }
  }).join('\n');
}
