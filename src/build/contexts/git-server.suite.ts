/** Repositories for tests, made by git itself, and a server on loopback that gives them out as git hosts do. */
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync, chmodSync } from 'node:fs';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';

/** Runs git without the configuration of this machine; gives what it prints. */
export function git(folder: string, ...args: string[]): string {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_AUTHOR_NAME: 'a',
    GIT_AUTHOR_EMAIL: 'a@example.org',
    GIT_COMMITTER_NAME: 'a',
    GIT_COMMITTER_EMAIL: 'a@example.org',
    GIT_AUTHOR_DATE: '2021-03-04T05:06:07Z',
    GIT_COMMITTER_DATE: '2021-03-04T05:06:07Z',
  };
  return execFileSync('git', ['-c', 'init.defaultBranch=main', '-c', 'protocol.file.allow=always', ...args], { cwd: folder, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

export type TreeFile = string | { text: string; mode?: number } | { link: string };

export function writeTree(folder: string, files: Record<string, TreeFile>): void {
  for (const [name, file] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    if (typeof file === 'object' && 'link' in file) symlinkSync(file.link, path);
    else {
      writeFileSync(path, typeof file === 'string' ? file : file.text);
      if (typeof file === 'object' && file.mode !== undefined) chmodSync(path, file.mode);
    }
  }
}

/** A repository with one commit, in `<folder>/<name>` with a work tree. */
export function makeRepository(folder: string, name: string, files: Record<string, TreeFile>): { path: string; commit(files: Record<string, TreeFile>): string; git(...args: string[]): string } {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  git(path, 'init', '-q');
  // What hosts allow: any commit that is there may be asked for.
  git(path, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  const commit = (more: Record<string, TreeFile>): string => {
    writeTree(path, more);
    git(path, 'add', '-A');
    git(path, 'commit', '-q', '--allow-empty', '-m', 'change');
    return git(path, 'rev-parse', 'HEAD');
  };
  commit(files);
  return { path, commit, git: (...args) => git(path, ...args) };
}

export interface GitServer extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, without a slash. `<url>/<name>.git` is the repository `<name>` of the folder. */
  url: string;
  host: string;
  /** Method, path and Authorization of each request so far. */
  requests: { method: string; path: string; authorization: string | undefined }[];
}

/** Serves all repositories in a folder; with `authorization`, only to requests that carry exactly this header. */
export async function serveRepositories(folder: string, authorization?: string): Promise<GitServer> {
  const requests: GitServer['requests'] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://x');
    requests.push({ method: request.method!, path: url.pathname, authorization: request.headers.authorization });
    if (authorization !== undefined && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end();
      return;
    }
    const path = url.pathname.replace(/^\/([^/]+)\.git\//, '/$1/.git/');
    const backend = spawn('git', ['http-backend'], { env: backendEnvironment(request, url, path, folder), stdio: ['pipe', 'pipe', 'ignore'] });
    request.pipe(backend.stdin);
    backend.stdin.on('error', () => {});
    let head = Buffer.alloc(0);
    let begun = false;
    backend.stdout.on('data', (chunk: Buffer) => {
      if (begun) return void response.write(chunk);
      head = Buffer.concat([head, chunk]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      begun = true;
      const headers = head.subarray(0, end).toString('latin1').split('\r\n').map((line) => line.split(': ', 2) as [string, string]);
      const status = headers.find(([name]) => name === 'Status')?.[1];
      response.writeHead(status === undefined ? 200 : Number.parseInt(status, 10), Object.fromEntries(headers.filter(([name]) => name !== 'Status')));
      response.write(head.subarray(end + 4));
    });
    backend.stdout.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url: `http://${host}`,
    host,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function backendEnvironment(request: IncomingMessage, url: URL, path: string, folder: string): Record<string, string> {
  const { headers } = request;
  return {
    PATH: process.env['PATH']!,
    GIT_PROJECT_ROOT: folder,
    GIT_HTTP_EXPORT_ALL: '1',
    GIT_CONFIG_NOSYSTEM: '1',
    // The folder may be another user's.
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'safe.directory',
    GIT_CONFIG_VALUE_0: '*',
    PATH_INFO: path,
    QUERY_STRING: url.search.slice(1),
    REQUEST_METHOD: request.method!,
    CONTENT_TYPE: headers['content-type'] ?? '',
    ...(headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: headers['content-length'] }),
    ...(headers['content-encoding'] === undefined ? {} : { HTTP_CONTENT_ENCODING: headers['content-encoding'] }),
    ...(headers['git-protocol'] === undefined ? {} : { GIT_PROTOCOL: headers['git-protocol'] as string }),
  };
}
