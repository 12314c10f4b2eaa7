/** Distribution specification, "Mounting a blob from another repository". */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { algorithms } from '../storage.ts';
import { pushBlob, randomContent } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';

for (const algorithm of algorithms) {
  for (const from of ['from=repo2', '']) {
    test(`a ${algorithm} blob is mounted ${from === '' ? 'without naming a repository' : 'from a repository'}`, async () => {
      await using registry = await startTestServer();
      const content = randomContent(512, algorithm);
      await pushBlob(registry.url, 'repo2', content);
      const response = await fetch(`${registry.url}/v2/repo1/blobs/uploads/?mount=${content.digest}&${from}`, { method: 'POST' });
      assert.equal(response.status, 201);
      assert.equal(response.headers.get('docker-content-digest'), content.digest);
      const blob = await fetch(new URL(response.headers.get('location')!, registry.url));
      assert.deepEqual(Buffer.from(await blob.arrayBuffer()), content.bytes);
      assert.match(blob.url, /\/v2\/repo1\//);
    });
  }
}

test('what cannot be mounted becomes an upload', async () => {
  await using registry = await startTestServer();
  const content = randomContent();
  await pushBlob(registry.url, 'repo2', content);
  const missing = randomContent();
  for (const query of [`mount=${missing.digest}&from=repo2`, `mount=${missing.digest}`, `mount=${content.digest}&from=repo3`]) {
    const response = await fetch(`${registry.url}/v2/repo1/blobs/uploads/?${query}`, { method: 'POST' });
    assert.equal(response.status, 202, query);
    const url = new URL(response.headers.get('location')!, registry.url);
    url.searchParams.set('digest', missing.digest);
    assert.equal((await fetch(url, { method: 'PUT', body: missing.bytes })).status, 201);
    await fetch(`${registry.url}/v2/repo1/blobs/${missing.digest}`, { method: 'DELETE' });
  }
});

test('a blob is mounted only from repositories that the user may pull from', async () => {
  const { Refusal } = await import('../refusal.ts');
  await using registry = await startTestServer({
    access: {
      identify: () => ({ name: 'ann', groups: [] }),
      allow({ action, repository }) {
        if (repository === 'secret' && action === 'pull') throw new Refusal('DENIED', 'not for ann');
      },
    },
  });
  const content = randomContent();
  await pushBlob(registry.url, 'secret', content);
  for (const from of ['&from=secret', '']) {
    const response = await fetch(`${registry.url}/v2/own/blobs/uploads/?mount=${content.digest}${from}`, { method: 'POST' });
    assert.equal(response.status, 202, 'it looks like a blob that is not there');
  }
});
