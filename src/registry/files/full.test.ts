/** A disk that is full: the client is told, what was there stays, and what is freed can be used. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf, pushBlob, pushImage, randomContent } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import { openUpload, send, withDigest } from '../testing/uploads.ts';

const skip = process.getuid?.() !== 0 || process.platform !== 'linux' ? 'needs root on Linux, to mount a small disk' : false;

test('an upload that finds no room is refused with 507 and goes on when there is some', { skip }, async (t) => {
  const root = mkdtempSync(join(tmpdir(), 'siru-server-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'none', root]);
  t.after(() => {
    execFileSync('umount', [root]);
    rmSync(root, { recursive: true });
  });
  await using registry = await startTestServer({ root });
  const { manifest } = await pushImage(registry.url, 'app', 'v1');
  const ballast = join(root, 'ballast');
  writeFileSync(ballast, Buffer.alloc(5 * 1024 * 1024));
  const content = randomContent(4 * 1024 * 1024);
  const location = await openUpload(registry, 'app');
  const full = await send(location, 'PATCH', content.bytes);
  assert.equal(full.status, 507);
  assert.equal(await codeOf(full), 'UNAVAILABLE');
  assert.equal((await fetch(`${registry.url}/v2/app/manifests/v1`)).headers.get('docker-content-digest'), manifest.digest);
  unlinkSync(ballast);
  const state = await send(location, 'GET');
  const here = Number(/^0-(\d+)$/.exec(state.headers.get('range')!)![1]) + 1;
  assert.ok(here > 1 && here < content.bytes.length);
  assert.equal((await send(withDigest(location, content.digest), 'PUT', content.bytes.subarray(here), { 'content-range': `${here}-${content.bytes.length - 1}` })).status, 201);
  await pushBlob(registry.url, 'other', randomContent());
});
