/** Certificates for single hosts, from folders laid out as docker's `/etc/docker/certs.d`. */
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { SiruError, errnoOf, messageOf } from '../base/errors.ts';
import { homeFolder } from '../base/home-folder.ts';

export interface HostCertificates {
  /** Tells them apart: the folder. */
  folder: string;
  /** Authorities that are trusted for this host, beside those of everybody. PEM. */
  ca: string[];
  /** What the client shows of itself, with the key. PEM. */
  cert?: string;
  key?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const largestCertificate = 1 << 20;
const mostCertificates = 64;

/** Folders that hold one for each host, the first that has the host counts. */
function placesOf(environment: Environment): string[] {
  const home = homeFolder(environment);
  const config = environment.XDG_CONFIG_HOME || join(home, '.config');
  return [join(config, 'siru'), '/etc/siru', join(home, '.docker'), '/etc/docker', join(config, 'containers'), '/etc/containers'].map((folder) => join(folder, 'certs.d'));
}

/**
 * What `<folder>/<host[:port]>/` holds: `*.crt` are authorities, `*.cert` and `*.key` of one name the client's certificate
 * and key. `given` folders are looked into first. Throws CONFIG for files that are no certificates or cannot be read.
 */
export function certificatesFor(url: URL, environment: Environment, given: readonly string[] = []): HostCertificates | undefined {
  const names = url.port === '' ? [url.host, `${url.host}:443`] : [url.host];
  if (url.hostname === 'registry-1.docker.io') names.push('docker.io');
  for (const place of [...given, ...placesOf(environment)]) {
    for (const name of names) {
      const folder = join(place, name);
      const files = filesOf(folder);
      if (files) return readCertificates(folder, files);
    }
  }
  return undefined;
}

function filesOf(folder: string): string[] | undefined {
  try {
    return readdirSync(folder).filter((name) => /\.(?:crt|cert|key)$/.test(name)).sort();
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR') return undefined;
    throw new SiruError('CONFIG', `cannot read ${folder}: ${messageOf(error)}`, { cause: error, hint: 'it holds certificates for this host: make it readable, or remove it' });
  }
}

function readCertificates(folder: string, files: string[]): HostCertificates {
  if (files.length > mostCertificates) throw new SiruError('CONFIG', `${folder}: more than ${mostCertificates} files`);
  const found: HostCertificates = { folder, ca: [] };
  for (const name of files) {
    const file = join(folder, name);
    if (name.endsWith('.crt')) {
      found.ca.push(read(file, (text) => new X509Certificate(text)));
    } else if (name.endsWith('.cert')) {
      const keyName = `${name.slice(0, -'.cert'.length)}.key`;
      if (!files.includes(keyName)) throw new SiruError('CONFIG', `${file}: there is no ${keyName} beside it`, { hint: 'a client certificate needs its key' });
      const cert = read(file, (text) => new X509Certificate(text));
      const key = read(join(folder, keyName), (text) => createPrivateKey(text));
      if (!new X509Certificate(cert).checkPrivateKey(createPrivateKey(key))) throw new SiruError('CONFIG', `${join(folder, keyName)} is not the key of ${name}`);
      if (found.cert === undefined) Object.assign(found, { cert, key });
    } else if (!files.includes(`${name.slice(0, -'.key'.length)}.cert`)) {
      throw new SiruError('CONFIG', `${file}: there is no certificate for this key`, { hint: `${name.slice(0, -'.key'.length)}.cert has to lie beside it; *.crt are authorities` });
    }
  }
  return found;
}

/** The text of a file that `check` takes. */
function read(file: string, check: (text: string) => unknown): string {
  try {
    const bytes = readFileSync(file);
    if (bytes.length > largestCertificate) throw new Error(`larger than ${largestCertificate} bytes`);
    const text = bytes.toString('utf8');
    check(text);
    return text;
  } catch (error) {
    throw new SiruError('CONFIG', `${file}: ${messageOf(error)}`, { cause: error, hint: 'certificates and keys are in PEM, keys without a passphrase' });
  }
}
