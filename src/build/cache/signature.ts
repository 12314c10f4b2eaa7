/**
 * Signatures of records: DSSE envelopes with ed25519. The signature is over type and payload, so that no document can be
 * taken for another kind.
 */
import { createHash, createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { SiruError, messageOf } from '../../base/errors.ts';
import { checkArray, checkObject, checkString, fail, optional, parseJsonObject, required } from '../../oci/json-document.ts';

export interface Envelope {
  payloadType: string;
  /** Base64. */
  payload: string;
  signatures: { keyid?: string; sig: string }[];
}

/** A key that signs, or the keys that are believed. */
export interface SigningKey {
  id: string;
  key: KeyObject;
}

/** Bytes of a key file. */
const largestKeyFile = 64 * 1024;
/** Signatures of an envelope that are looked at. */
const mostSignatures = 16;

/** Throws USAGE when the file holds no ed25519 private key. */
export function readPrivateKey(file: string): SigningKey {
  const key = parseKey(file, () => createPrivateKey(readKeyFile(file)), 'openssl genpkey -algorithm ed25519 -out key.pem makes one.');
  return { id: keyId(createPublicKey(key)), key };
}

/** One or several public keys of a file. Throws USAGE. */
export function readPublicKeys(file: string): SigningKey[] {
  const blocks = readKeyFile(file).match(/-----BEGIN [A-Z ]+-----[^-]*-----END [A-Z ]+-----/g) ?? [];
  if (blocks.length === 0) throw new SiruError('USAGE', `${file} holds no key in PEM form`, { hint: 'openssl pkey -in key.pem -pubout -out key.pub makes it from a private one.' });
  return blocks.map((block) => {
    const key = parseKey(file, () => createPublicKey(block), 'openssl pkey -in key.pem -pubout -out key.pub makes one.');
    return { id: keyId(key), key };
  });
}

function parseKey(file: string, parse: () => KeyObject, hint: string): KeyObject {
  let key: KeyObject;
  try {
    key = parse();
  } catch (error) {
    throw new SiruError('USAGE', `${file} holds no key that can be used: ${messageOf(error)}`, { hint, cause: error });
  }
  if (key.asymmetricKeyType !== 'ed25519') throw new SiruError('USAGE', `${file} holds a key of type ${String(key.asymmetricKeyType)}, not ed25519`, { hint });
  return key;
}

function readKeyFile(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > largestKeyFile) throw new SiruError('USAGE', `${file} has ${size} bytes; a key file has at most ${largestKeyFile}`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof SiruError) throw error;
    throw new SiruError('USAGE', `cannot read the key ${file}: ${messageOf(error)}`, { cause: error });
  }
}

/** What names a key: the beginning of the digest of its public part. */
function keyId(key: KeyObject): string {
  return createHash('sha256').update(key.export({ type: 'spki', format: 'der' })).digest('hex').slice(0, 16);
}

/** Without a key the envelope has no signature. */
export function seal(payloadType: string, payload: Uint8Array, key?: SigningKey): Envelope {
  const signatures = key ? [{ keyid: key.id, sig: sign(null, signedBytes(payloadType, payload), key.key).toString('base64') }] : [];
  return { payloadType, payload: Buffer.from(payload).toString('base64'), signatures };
}

/**
 * The payload. With `trusted` keys, one of them must have signed it. Throws DOCUMENT; `unsigned` of the result says why
 * the payload is not to be believed.
 */
export function unseal(envelope: Envelope, payloadType: string, trusted?: readonly SigningKey[]): { payload: Buffer; unsigned?: string } {
  if (envelope.payloadType !== payloadType) throw new SiruError('DOCUMENT', `a document of type ${JSON.stringify(envelope.payloadType.slice(0, 100))}, not ${payloadType}`);
  const payload = Buffer.from(envelope.payload, 'base64');
  if (!trusted) return { payload };
  const bytes = signedBytes(payloadType, payload);
  const signatures = envelope.signatures.slice(0, mostSignatures);
  const good = signatures.some(({ sig }) => trusted.some(({ key }) => isSignature(bytes, key, Buffer.from(sig, 'base64'))));
  if (good) return { payload };
  return { payload, unsigned: signatures.length === 0 ? 'it is not signed' : 'it is signed with another key, or was changed' };
}

function isSignature(bytes: Uint8Array, key: KeyObject, signature: Buffer): boolean {
  return signature.length === 64 && verify(null, bytes, key, signature);
}

/** DSSE's pre-authentication encoding. */
function signedBytes(type: string, payload: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`DSSEv1 ${Buffer.byteLength(type)} ${type} ${payload.length} `), payload]);
}

/** Throws DOCUMENT. */
export function parseEnvelope(bytes: Uint8Array, what: string): Envelope {
  const [object, place] = parseJsonObject(bytes, what, false);
  return checkEnvelope(object, place);
}

export function checkEnvelope(value: unknown, place: Parameters<typeof checkObject>[1]): Envelope {
  const object = checkObject(value, place);
  required(object, 'payloadType', place, checkString);
  required(object, 'payload', place, checkString);
  required(object, 'signatures', place, (list, at) => {
    if (checkArray(list, at, (item, where) => {
      const one = checkObject(item, where);
      required(one, 'sig', where, checkString);
      optional(one, 'keyid', where, checkString);
    }).length > mostSignatures) throw fail(at, `has more than ${mostSignatures} members`);
  });
  return object as unknown as Envelope;
}
