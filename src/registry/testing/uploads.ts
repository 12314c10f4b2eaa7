/** For tests: the requests of an upload. */
import assert from 'node:assert/strict';
import type { TestServer } from './start-server.ts';

/** Where the upload that was opened takes its bytes. */
export async function openUpload(registry: Pick<TestServer, 'url'>, repository: string, query = ''): Promise<URL> {
  const response = await fetch(`${registry.url}/v2/${repository}/blobs/uploads/${query}`, { method: 'POST' });
  assert.equal(response.status, 202, await response.text());
  return new URL(response.headers.get('location')!, registry.url);
}

export function withDigest(location: URL, digest: string): URL {
  const url = new URL(location);
  url.searchParams.set('digest', digest);
  return url;
}

export function send(url: URL, method: string, body?: Buffer, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, { method, headers, ...(body && { body }) });
}
