import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cacheOf } from './caches.ts';

test('caches are known by where they lie', () => {
  const table: [string, string | undefined, string?][] = [
    ['var/lib/apt/lists/deb_main', 'apt lists', 'var/lib/apt/lists'],
    ['var/cache/apt/pkgcache.bin', 'apt archives', 'var/cache/apt'],
    ['var/cache/apk/APKINDEX.tar.gz', 'apk', 'var/cache/apk'],
    ['var/cache/dnf/x', 'dnf', 'var/cache/dnf'],
    ['root/.npm/_cacache/content', 'npm', 'root/.npm/_cacache'],
    ['home/u/.cache/pip/http/a', 'pip', 'home/u/.cache/pip'],
    ['opt/conda/pkgs/a.tar', 'conda', 'opt/conda/pkgs'],
    ['opt/miniforge3/pkgs/a', 'conda', 'opt/miniforge3/pkgs'],
    ['go/pkg/mod/cache/download/x', 'go modules', 'go/pkg/mod/cache'],
    ['usr/local/cargo/registry/cache/x', 'cargo', 'usr/local/cargo/registry'],
    ['root/.cargo/registry/src/x', 'cargo', 'root/.cargo/registry'],
    ['root/.m2/repository/a.jar', 'Maven', 'root/.m2/repository'],
    ['app/node_modules/.cache/babel/x', 'JavaScript tools', 'app/node_modules/.cache'],
    ['var/lib/apt/lists', undefined],
    ['var/lib/apt/extended_states', undefined],
    ['srv/var/lib/apt/lists/x', undefined],
    ['go/pkg/mod/example.org/a.go', undefined],
    ['app/registry/cache/x', undefined],
    ['opt/xconda/pkgs/y', undefined],
    ['', undefined],
  ];
  for (const [path, name, where] of table) {
    const found = cacheOf(path);
    assert.equal(found?.rule.name, name, path);
    assert.equal(found?.path, where, path);
  }
});
