/** Private keys of SSH: OpenSSH's own format and PEM, Ed25519, RSA and ECDSA, without passphrase. */
import { createPrivateKey, sign, type JsonWebKey, type KeyObject } from 'node:crypto';
import { createReader, mpint, string } from './wire.ts';

export interface PrivateKey {
  /** The public key as SSH writes it. */
  blob: Buffer;
  comment: string;
  /** A signature as SSH writes it. `flags` choose the hash of RSA (draft-miller-ssh-agent, 3.6.1). */
  sign(data: Uint8Array, flags: number): Buffer;
}

/** Throws Error that names the file and says what is wrong. */
export function parsePrivateKey(text: string, file: string): PrivateKey {
  const found = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/.exec(text);
  try {
    if (!found) return keyOf(createPrivateKey(text), file);
    const { jwk, comment } = readOpenSsh(Buffer.from(found[1]!, 'base64'));
    return keyOf(createPrivateKey({ key: jwk, format: 'jwk' }), comment || file);
  } catch (error) {
    if ((error as Error).message === locked || /^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(text)) throw new Error(`${file} is locked with a passphrase`, { cause: error });
    throw new Error(`${file} is no private key that can be read`, { cause: error });
  }
}

const locked = 'locked';

/** PROTOCOL.key of OpenSSH. */
function readOpenSsh(bytes: Buffer): { jwk: JsonWebKey; comment: string } {
  const magic = 'openssh-key-v1\0';
  if (bytes.subarray(0, magic.length).toString('latin1') !== magic) throw new Error('not in the format of OpenSSH');
  const outer = createReader(bytes.subarray(magic.length));
  const cipher = outer.string().toString();
  outer.string();
  outer.string();
  if (outer.uint32() !== 1) throw new Error('not one key');
  outer.string();
  if (cipher !== 'none') throw new Error(locked);
  const inner = createReader(outer.string());
  if (inner.uint32() !== inner.uint32()) throw new Error('damaged');
  const type = inner.string().toString();
  const jwk = readFields(type, inner);
  return { jwk, comment: inner.string().toString() };
}

function readFields(type: string, reader: ReturnType<typeof createReader>): JsonWebKey {
  const text = (bytes: Buffer): string => bytes.toString('base64url');
  if (type === 'ssh-ed25519') {
    const x = reader.string();
    return { kty: 'OKP', crv: 'Ed25519', x: text(x), d: text(reader.string().subarray(0, 32)) };
  }
  if (type === 'ssh-rsa') {
    const [n, e, d, qi, p, q] = Array.from({ length: 6 }, () => reader.mpint()) as [Buffer, Buffer, Buffer, Buffer, Buffer, Buffer];
    return { kty: 'RSA', n: text(n), e: text(e), d: text(d), p: text(p), q: text(q), dp: text(exponent(d, p)), dq: text(exponent(d, q)), qi: text(qi) };
  }
  const curve = curves.find(({ name }) => type === `ecdsa-sha2-${name}`);
  if (!curve) throw new Error(`keys of the type ${type} are not supported`);
  reader.string();
  const point = reader.string();
  const { size } = curve;
  const d = reader.mpint();
  return { kty: 'EC', crv: curve.jwk, x: text(point.subarray(1, 1 + size)), y: text(point.subarray(1 + size)), d: text(Buffer.concat([Buffer.alloc(size - d.length), d])) };
}

/** d mod (prime - 1), which OpenSSH does not keep. */
function exponent(d: Buffer, prime: Buffer): Buffer {
  const number = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex') || '0'}`);
  const digits = (number(d) % (number(prime) - 1n)).toString(16);
  return Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
}

const curves = [
  { name: 'nistp256', jwk: 'P-256', hash: 'sha256', size: 32 },
  { name: 'nistp384', jwk: 'P-384', hash: 'sha384', size: 48 },
  { name: 'nistp521', jwk: 'P-521', hash: 'sha512', size: 66 },
];

function keyOf(key: KeyObject, comment: string): PrivateKey {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  const bytes = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64url');
  if (kty === 'OKP' && crv === 'Ed25519') {
    const name = 'ssh-ed25519';
    return { blob: Buffer.concat([string(name), string(bytes(x))]), comment, sign: (data) => Buffer.concat([string(name), string(sign(null, data, key))]) };
  }
  if (kty === 'RSA') {
    return {
      blob: Buffer.concat([string('ssh-rsa'), mpint(bytes(e)), mpint(bytes(n))]),
      comment,
      sign(data, flags) {
        const [name, hash] = (flags & 4) !== 0 ? ['rsa-sha2-512', 'sha512'] : (flags & 2) !== 0 ? ['rsa-sha2-256', 'sha256'] : ['ssh-rsa', 'sha1'];
        return Buffer.concat([string(name!), string(sign(hash, data, key))]);
      },
    };
  }
  const curve = curves.find(({ jwk }) => jwk === crv);
  if (!curve) throw new Error('keys of this type are not supported');
  const name = `ecdsa-sha2-${curve.name}`;
  return {
    blob: Buffer.concat([string(name), string(curve.name), string(Buffer.concat([Buffer.of(4), bytes(x), bytes(y)]))]),
    comment,
    sign(data) {
      const pair = sign(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' });
      return Buffer.concat([string(name), string(Buffer.concat([mpint(pair.subarray(0, curve.size)), mpint(pair.subarray(curve.size))]))]);
    },
  };
}
