import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openCredentials } from './credentials.ts';

function home(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), 'siru-credentials-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}
const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('login writes docker\'s file for its owner alone and keeps what it does not know', async () => {
  using folder = home();
  const file = join(folder.path, 'config.json');
  writeFileSync(file, JSON.stringify({ proxies: { default: 1 }, auths: { 'other.example': { auth: base64('a:b'), x: 1 } } }), { mode: 0o644 });
  const files = openCredentials({ environment: { DOCKER_CONFIG: folder.path, HOME: folder.path } });
  assert.equal(await files.put('docker.io', { kind: 'password', username: 'me', password: 'p:w' }), file);
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), {
    proxies: { default: 1 },
    auths: { 'other.example': { auth: base64('a:b'), x: 1 }, 'https://index.docker.io/v1/': { auth: base64('me:p:w') } },
  });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(await files.get('docker.io'), { kind: 'password', username: 'me', password: 'p:w' });
  assert.deepEqual(await files.get('other.example'), { kind: 'password', username: 'a', password: 'b' });
  assert.equal(await files.erase('docker.io'), true);
  assert.equal(await files.erase('docker.io'), false);
  assert.equal(await files.get('docker.io'), undefined);
});

test('keys may be URLs, and entries identity tokens', async () => {
  using folder = home();
  writeFileSync(join(folder.path, 'config.json'), JSON.stringify({
    auths: { 'https://r.example:5000/v2/': { auth: base64('u:p') }, 't.example': { auth: base64('<token>:'), identitytoken: 'tok' }, 'empty.example': {} },
  }));
  const files = openCredentials({ environment: { DOCKER_CONFIG: folder.path, HOME: folder.path } });
  assert.deepEqual(await files.get('r.example:5000'), { kind: 'password', username: 'u', password: 'p' });
  assert.deepEqual(await files.get('t.example'), { kind: 'identity', token: 'tok' });
  assert.equal(await files.get('empty.example'), undefined);
  assert.equal(await files.get('r.example'), undefined);
});

test('podman\'s files are asked after docker\'s', async () => {
  using folder = home();
  mkdirSync(join(folder.path, 'containers'));
  writeFileSync(join(folder.path, 'containers', 'auth.json'), JSON.stringify({ auths: { 'r.example': { auth: base64('run:1') } } }));
  const files = openCredentials({ environment: { HOME: folder.path, XDG_RUNTIME_DIR: folder.path } });
  assert.deepEqual(await files.get('r.example'), { kind: 'password', username: 'run', password: '1' });
});

test('credential helpers get, store and erase', { skip: process.platform === 'win32' ? 'shell scripts do not run here' : false }, async () => {
  using folder = home();
  const helper = join(folder.path, 'docker-credential-fake');
  writeFileSync(helper, `#!/bin/sh
state=${folder.path}/state
case $1 in
  get) read -r server; [ -f "$state" ] && cat "$state" || { echo 'credentials not found in native keychain'; exit 1; } ;;
  store) cat > "$state" ;;
  erase) rm "$state" ;;
esac
`);
  chmodSync(helper, 0o755);
  writeFileSync(join(folder.path, 'config.json'), JSON.stringify({ credHelpers: { 'r.example': 'fake' } }));
  const path = process.env.PATH;
  process.env.PATH = `${folder.path}:${path}`;
  try {
    const files = openCredentials({ environment: { DOCKER_CONFIG: folder.path, HOME: folder.path } });
    assert.equal(await files.get('r.example'), undefined);
    assert.equal(await files.put('r.example', { kind: 'identity', token: 'tok' }), 'docker-credential-fake');
    assert.deepEqual(await files.get('r.example'), { kind: 'identity', token: 'tok' });
    assert.equal(JSON.stringify(readFileSync(join(folder.path, 'config.json'), 'utf8')).includes('tok"'), false);
    assert.equal(await files.erase('r.example'), true);
    assert.equal(await files.get('r.example'), undefined);
  } finally {
    process.env.PATH = path;
  }
  writeFileSync(join(folder.path, 'config.json'), JSON.stringify({ credsStore: 'surely-missing' }));
  await assert.rejects(openCredentials({ environment: { DOCKER_CONFIG: folder.path } }).get('x'), { code: 'AUTH', message: /docker-credential-surely-missing is not installed/ });
});

test('a broken file is told with its place', async () => {
  using folder = home();
  const file = join(folder.path, 'config.json');
  for (const [text, message] of [['{', /config\.json: /], ['[]', /\$: not an object/], ['{"auths":{"h":1}}', /\$\.auths\["h"\]: not an object/], ['{"auths":{"h":{"auth":{}}}}', /\$\.auths\["h"\]\.auth: not a string/], ['{"auths":{"h":{"password":1}}}', /\.password: not a string/], ['{"auths":{"h":{"auth":"eA=="}}}', /\$\.auths\["h"\]\.auth: not base64/]] as const) {
    writeFileSync(file, text);
    await assert.rejects(openCredentials({ dockerConfig: file }).get('h'), { code: 'CONFIG', message });
  }
});

test('a file that is no JSON is told without anything that stands in it', async () => {
  using folder = home();
  const files = openCredentials({ environment: { DOCKER_CONFIG: folder.path, HOME: folder.path } });
  for (const text of ['{"auths":{"r":{"auth":geheimnis}}}', '{"auths":{"r":{"auth":"geheimnis}}}', 'geheimnis']) {
    writeFileSync(join(folder.path, 'config.json'), text);
    await assert.rejects(files.get('r'), (error: Error) => {
      assert.match(error.message, /config\.json: no JSON/);
      assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /gehe/);
      return true;
    });
  }
});
