/** Records and their signatures, without a network. */
import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isSiruError } from '../../base/errors.ts';
import { sha256 } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { openRecord, sealRecord, tocType, type CacheRecord } from './record.ts';
import { readPrivateKey, readPublicKeys, type Envelope } from './signature.ts';
import { isWorthSending } from './worth.ts';

const digest = sha256('x');
const record: CacheRecord = {
  key: sha256('key'),
  layer: { diffId: digest, treeDigest: digest, size: 5, entries: 1, newest: 1_700_000_000 },
  created: '2026-01-01T00:00:00Z', took: 12.5, executed: 1_700_000_000_000,
  blob: { mediaType: mediaTypes.layer, digest, size: 5 },
  toc: { mediaType: tocType, digest, size: 7 },
};

function keys(t: TestContext): (name: string) => { key: string; pub: string; pem: string } {
  const folder = mkdtempSync(join(tmpdir(), 'siru-keys-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return (name) => {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const [key, pub] = [join(folder, `${name}.pem`), join(folder, `${name}.pub`)];
    const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string;
    writeFileSync(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    writeFileSync(pub, pem);
    return { key, pub, pem };
  };
}

test('a record comes back as it was sent', () => {
  assert.deepEqual(openRecord(sealRecord(record)), record);
});

test('one signature of a key that is believed is enough; what was changed, unsigned or signed by others is refused', (t) => {
  const make = keys(t);
  const [ours, theirs] = [make('ours'), make('theirs')];
  const sealed = sealRecord(record, readPrivateKey(ours.key));
  assert.deepEqual(openRecord(sealed, readPublicKeys(ours.pub)), record);
  const both = join(theirs.pub, '..', 'both.pub');
  writeFileSync(both, `${theirs.pem}\nsome words between\n${ours.pem}`);
  assert.deepEqual(openRecord(sealed, readPublicKeys(both)), record);
  assert.throws(() => openRecord(sealed, readPublicKeys(theirs.pub)), /signed with another key, or was changed/);
  assert.throws(() => openRecord(sealRecord(record), readPublicKeys(ours.pub)), /it is not signed/);
  const other = sealRecord({ ...record, took: 13 });
  assert.throws(() => openRecord({ ...sealed, payload: other.payload }, readPublicKeys(ours.pub)), /was changed/);
  const typed: Envelope = { ...sealed, payloadType: 'application/vnd.siru.cache.mount.v1+json' };
  assert.throws(() => openRecord(typed, readPublicKeys(ours.pub)), /not application\/vnd.siru.cache.record/);
});

test('records with members that cannot be are refused with the place', () => {
  const wrong: [RegExp, Record<string, unknown>][] = [
    [/\$\.key is missing/, { key: undefined }], [/\$\.key is no sha256/, { key: `sha512:${'a'.repeat(128)}` }],
    [/\$\.layer\.diffId/, { layer: { ...record.layer, diffId: 'sha256:x' } }], [/\$\.layer\.size/, { layer: { ...record.layer, size: -1 } }],
    [/\$\.took is less/, { took: -1 }], [/\$\.took is no number/, { took: '1' }], [/\$\.created/, { created: 'yesterday' }],
    [/\$\.blob is no layer/, { blob: { mediaType: 'text/plain', digest, size: 1 } }], [/\$\.toc is no table/, { toc: record.blob }],
  ];
  for (const [message, members] of wrong) {
    const payload = Buffer.from(JSON.stringify({ ...record, ...members })).toString('base64');
    assert.throws(() => openRecord({ ...sealRecord(record), payload }), (error) => isSiruError(error) && error.code === 'DOCUMENT' && message.test(error.message), String(message));
  }
});

test('key files that hold something else are told with what to do', (t) => {
  const make = keys(t);
  const { key, pub } = make('one');
  const rsa = join(key, '..', 'rsa.pem');
  writeFileSync(rsa, generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type: 'pkcs8', format: 'pem' }));
  assert.throws(() => readPrivateKey(rsa), /of type rsa, not ed25519/);
  assert.throws(() => readPrivateKey(pub), /no key that can be used/);
  assert.throws(() => readPrivateKey(join(key, 'missing')), /cannot read the key/);
  writeFileSync(rsa, 'no key');
  assert.throws(() => readPublicKeys(rsa), /no key in PEM form/);
});

test('a result is worth its way when fetching it is faster than making it again', () => {
  assert.ok(isWorthSending({ took: 1000, size: 1000, inputs: 0 }));
  assert.ok(!isWorthSending({ took: 10, size: 1000, inputs: 0 }));
  assert.ok(!isWorthSending({ took: 1000, size: 1e9, inputs: 0 }));
  // A copy takes no time, but what it copies from would have to be fetched.
  assert.ok(isWorthSending({ took: 10, size: 1000, inputs: 1e9 }));
});
