import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { compileNeedles, searchBytes } from '../../base/search.ts';
import { needlesOf } from './needles-of.ts';

const finds = (secret: string | Uint8Array, hay: string | Uint8Array): boolean => {
  const needles = needlesOf(Buffer.from(secret));
  let found = false;
  if (needles.length > 0) searchBytes(compileNeedles(needles), Buffer.from(hay), () => (found = true));
  return found;
};
const token = 'tok_9f/Kd+Q2mZx7Lp"w';

test('a value that may stand anywhere is not looked for', () => {
  for (const value of ['', '1', 'true', 'secret', 'hunter2', 'production', 'localhost', '20240101', 'aaaa-aaaa-aaaa-aaaa', '  \n', 'abc\n']) assert.deepEqual(needlesOf(Buffer.from(value)), [], value);
});

test('a value is found as it is, without the white space around it, and in its encoded forms', () => {
  assert.ok(finds(`${token}\n`, `x${token}y`));
  for (const around of ['', 'a', 'ab', 'user:']) assert.ok(finds(token, Buffer.from(`${around}${token}z`).toString('base64')), around);
  assert.ok(finds(token, Buffer.from(`??>${token}`).toString('base64url')));
  assert.ok(finds(token, Buffer.from(token).toString('hex')));
  assert.ok(finds(token, Buffer.from(token).toString('hex').toUpperCase()));
  assert.ok(finds(token, `https://h/?t=${encodeURIComponent(token)}`));
  assert.ok(finds('tok/9f+kd=q2', 'https://h/?t=tok%2f9f%2bkd%3dq2'));
  assert.ok(finds(token, JSON.stringify({ token })));
  assert.ok(!finds(token, token.slice(0, -1)));
});

test('base64 of any value after any other bytes is found', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 16, maxLength: 80 }), fc.uint8Array({ maxLength: 9 }), (value, before) => {
      fc.pre(needlesOf(value).length > 0 && !/^\s|\s$/.test(Buffer.from(value).toString('latin1')));
      return finds(value, Buffer.concat([before, value, before]).toString('base64'));
    }),
  );
});

test('of a file of several lines its tokens are looked for, and nothing that others have too', () => {
  const npmrc = 'registry=https://registry.example.invalid/some/long/path/of/v2\n//registry.example.invalid/:_authToken=npm_a8Kd93kDk20fjLs0dkW1\nalways-auth=true\n';
  assert.ok(finds(npmrc, 'token npm_a8Kd93kDk20fjLs0dkW1 in use'));
  assert.ok(finds(npmrc, Buffer.from('u:npm_a8Kd93kDk20fjLs0dkW1').toString('base64')));
  assert.ok(!finds(npmrc, 'registry=https://registry.example.invalid/some/long/path/of/v2\nalways-auth=true\n'));
});

test('values whose names say that they are secret are looked for', () => {
  const settings = 'HOST=db.example.org\nexport DB_PASSWORD="hunter-two"\ngithub.token: gh-short1\n{"clientSecret": "c1-secret",\nPUBLIC_KEY=not-this-one\n';
  for (const value of ['hunter-two', 'gh-short1', 'c1-secret']) assert.ok(finds(settings, `<${value}>`), value);
  for (const value of ['db.example.org', 'not-this-one', 'DB_PASSWORD']) assert.ok(!finds(settings, value), value);
  assert.ok(finds('PASSWORD=hunter-two\n', 'hunter-two'));
});

test('a private key is found line by line; its armour, certificates and public keys are nobody’s secret', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'pem' } });
  const both = `${publicKey}${privateKey}`;
  assert.ok(finds(both, privateKey.split('\n').slice(5, 7).join('\n')));
  assert.ok(!finds(both, publicKey));
  assert.ok(!finds(both, '-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n'));
  assert.deepEqual(needlesOf(Buffer.from(publicKey.replace(/PUBLIC KEY/g, 'CERTIFICATE'))), []);
});

test('of a large binary value its middle is looked for', () => {
  const value = Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 7919) >> 3));
  assert.ok(finds(value, Buffer.concat([Buffer.alloc(1000), value])));
});
