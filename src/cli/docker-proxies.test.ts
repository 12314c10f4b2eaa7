import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { withDockerProxies } from './docker-proxies.ts';

test("proxies of docker's config.json become build arguments that nobody gave", (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'siru-proxies-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const environment = { DOCKER_CONFIG: folder };
  assert.deepEqual(withDockerProxies({ A: '1' }, environment), { A: '1' });
  const write = (value: unknown): void => writeFileSync(join(folder, 'config.json'), typeof value === 'string' ? value : JSON.stringify(value));
  write({ proxies: { default: { httpProxy: 'http://p', noProxy: 'localhost', ftpProxy: '', allProxy: 7 }, 'tcp://other': { httpsProxy: 'q' } } });
  assert.deepEqual(withDockerProxies({ HTTP_PROXY: 'mine' }, environment), { HTTP_PROXY: 'mine', http_proxy: 'http://p', NO_PROXY: 'localhost', no_proxy: 'localhost' });
  assert.deepEqual(withDockerProxies({}, { ...environment, DOCKER_HOST: 'tcp://other' }), { HTTPS_PROXY: 'q', https_proxy: 'q' });
  assert.deepEqual(withDockerProxies({}, { ...environment, DOCKER_HOST: 'tcp://third' }), withDockerProxies({}, environment));
  for (const broken of ['{', '[]', 'null', '{"proxies":[]}', '{"proxies":{"default":null}}']) {
    write(broken);
    assert.deepEqual(withDockerProxies({}, environment), {}, broken);
  }
});
