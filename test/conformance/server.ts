/** A web server on loopback: the files of a folder with their times, and its git repositories as git's own server gives them. */
import { spawn } from 'node:child_process';
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';

export interface WebServer extends AsyncDisposable {
  /** `http://127.0.0.1:1234` */
  url: string;
}

export async function serve(folder: string): Promise<WebServer> {
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://loopback');
    if (/\.git\/(?:info\/refs|HEAD|git-upload-pack)$/.test(url.pathname)) return gitBackend(folder, url, request, response);
    const file = join(folder, normalize(decodeURIComponent(url.pathname)));
    const stat = statSync(file, { throwIfNoEntry: false });
    if (!stat?.isFile()) return void response.writeHead(404).end('not here\n');
    response.writeHead(200, { 'Content-Length': stat.size, 'Content-Type': 'application/octet-stream', 'Last-Modified': stat.mtime.toUTCString() });
    response.end(request.method === 'HEAD' ? undefined : readFileSync(file));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function gitBackend(folder: string, url: URL, request: IncomingMessage, response: ServerResponse): void {
  const child = spawn('git', ['-c', 'safe.directory=*', 'http-backend'], {
    env: {
      PATH: process.env.PATH, HOME: '/nonexistent', GIT_PROJECT_ROOT: realpathSync(folder), GIT_HTTP_EXPORT_ALL: '1', PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1), REQUEST_METHOD: request.method, CONTENT_TYPE: request.headers['content-type'] ?? '',
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '', GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      GIT_CONFIG_COUNT: '2', GIT_CONFIG_KEY_0: 'safe.directory', GIT_CONFIG_VALUE_0: '*', GIT_CONFIG_KEY_1: 'uploadpack.allowAnySHA1InWant', GIT_CONFIG_VALUE_1: 'true',
    },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  request.pipe(child.stdin);
  child.stdin.on('error', () => {});
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.once('close', () => {
    const whole = Buffer.concat(chunks);
    const end = whole.indexOf('\r\n\r\n');
    const headers = whole.toString('latin1', 0, Math.max(end, 0)).split('\r\n').map((line) => line.split(/:\s*/, 2) as [string, string]);
    const status = Number.parseInt(headers.find(([name]) => name.toLowerCase() === 'status')?.[1] ?? '200', 10);
    response.writeHead(end < 0 ? 500 : status, Object.fromEntries(headers.filter(([name]) => name.toLowerCase() !== 'status')));
    response.end(whole.subarray(end + 4));
  });
}
