/** Where SOURCE_DATE_EPOCH may come from. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { readImage } from '../images/read.ts';
import { temporaryStore } from '../images/testing/temporary-store.ts';
import { build } from './build.ts';
import type { BuildOptions } from './options.ts';

const modified = 1_500_000_000;
/** Seconds that the path `/later` of the server is newer. */
const later = 1000;
/** Time of the one file of `/x.tar`; its folder is newer. */
const archived = 1_400_000_000;

async function world(t: TestContext): Promise<{ server: string; times: (dockerfile: string, options?: Partial<BuildOptions>) => Promise<string | undefined> }> {
  const { store, folder, ...temporary } = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const server = createServer(({ url = '' }, response) => {
    const known = !url.startsWith('/unknown');
    response.writeHead(200, known ? { 'last-modified': new Date((modified + (url === '/later/x' ? later : 0)) * 1000).toUTCString() } : {}).end(url.endsWith('.tar') ? archive : 'text\n');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  mkdirSync(join(folder, 'archived'));
  writeFileSync(join(folder, 'archived', 'Dockerfile'), file('ARG SOURCE_DATE_EPOCH=context').replace('COPY a', 'COPY Dockerfile'));
  utimesSync(join(folder, 'archived', 'Dockerfile'), archived, archived);
  const archive = execFileSync('tar', ['-C', join(folder, 'archived'), '-cf', '-', '.']);
  const context = join(folder, 'context');
  mkdirSync(context);
  writeFileSync(join(context, 'a'), 'a\n');
  return {
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async times(dockerfile, options) {
      const { digest } = await build({ store, context, dockerfileText: dockerfile, ...options });
      const { config } = readImage(store, digest);
      return `${config.created} ${config.config?.Labels?.epoch ?? ''}`.trim();
    },
  };
}

const file = (first: string): string => `${first}\nFROM scratch\nARG SOURCE_DATE_EPOCH\nLABEL epoch=$SOURCE_DATE_EPOCH\nCOPY a /\n`;

test('an ARG before the first FROM gives the time; an option wins over it, an argument over both', async (t) => {
  const { times } = await world(t);
  assert.equal(await times(file('ARG SOURCE_DATE_EPOCH=1000000000')), '2001-09-09T01:46:40Z 1000000000');
  assert.equal(await times(file('ARG SOURCE_DATE_EPOCH=1000000000'), { sourceDateEpoch: 5 }), '1970-01-01T00:00:05Z 5');
  assert.equal(await times(file('ARG SOURCE_DATE_EPOCH=1'), { sourceDateEpoch: 5, buildArgs: { SOURCE_DATE_EPOCH: '7' } }), '1970-01-01T00:00:07Z 7');
});

test('a stage that only fetches gives the time of what it fetched', async (t) => {
  const { server, times } = await world(t);
  const stage = `FROM scratch AS src\nARG WHAT=x\nADD ${server}/$WHAT /`;
  assert.equal(await times(file(`ARG SOURCE_DATE_EPOCH=src\n${stage}`)), `${new Date(modified * 1000).toISOString().replace('.000', '')} ${modified}`);
  assert.equal(await times(file(stage), { buildArgs: { SOURCE_DATE_EPOCH: 'SRC' } }), `${new Date(modified * 1000).toISOString().replace('.000', '')} ${modified}`);
});

test('equal files of other times give each its own time', async (t) => {
  const { server, times } = await world(t);
  const at = async (path: string): Promise<string | undefined> => times(file(`ARG SOURCE_DATE_EPOCH=src\nFROM scratch AS src\nADD ${server}${path} /`));
  assert.match((await at('/x'))!, new RegExp(` ${modified}$`));
  assert.match((await at('/later/x'))!, new RegExp(` ${modified + later}$`));
  const of = (path: string): Promise<string | undefined> => times(file('ARG SOURCE_DATE_EPOCH=web'), { buildContexts: { web: server + path } });
  assert.match((await of('/x'))!, new RegExp(` ${modified}$`));
  assert.match((await of('/later/x'))!, new RegExp(` ${modified + later}$`));
});

test('the context gives its time when it has one as a whole: a directory has none', async (t) => {
  const { server, times } = await world(t);
  assert.doesNotMatch((await times(file('ARG SOURCE_DATE_EPOCH=context')))!, / /);
  const named = { buildContexts: { web: `${server}/x` } };
  await assert.rejects(times(file('ARG SOURCE_DATE_EPOCH=nothing'), named), { code: 'USAGE', message: 'invalid SOURCE_DATE_EPOCH: nothing' });
});

test('an archive has the time of Last-Modified, else of its newest file; other files without Last-Modified have none', async (t) => {
  const { server, times } = await world(t);
  assert.match((await times('', { context: `${server}/x.tar`, dockerfileText: undefined }))!, new RegExp(` ${modified}$`));
  assert.match((await times('', { context: `${server}/unknown.tar`, dockerfileText: undefined }))!, new RegExp(` ${archived}$`));
  assert.doesNotMatch((await times(file('ARG SOURCE_DATE_EPOCH=web'), { buildContexts: { web: `${server}/unknown` } }))!, / /);
  assert.doesNotMatch((await times(file(`ARG SOURCE_DATE_EPOCH=src\nFROM scratch AS src\nADD ${server}/unknown /`)))!, / /);
});

test('a default in the file is one for each stage; without a time the argument has no value', async (t) => {
  const { times } = await world(t);
  const asked = file('ARG SOURCE_DATE_EPOCH=10').replace('ARG SOURCE_DATE_EPOCH\n', 'ARG SOURCE_DATE_EPOCH=5\n');
  assert.equal(await times(asked), '1970-01-01T00:00:10Z 5');
  const named = file('ARG SOURCE_DATE_EPOCH=context').replace('=$SOURCE', '=${SOURCE').replace('EPOCH\nCOPY', 'EPOCH-unset}\nCOPY');
  assert.match((await times(named))!, / unset$/);
  assert.match((await times(named, { buildArgs: { SOURCE_DATE_EPOCH: '' } }))!, / unset$/);
});

test('what gives no time is refused, with its stage', async (t) => {
  const { times } = await world(t);
  for (const [stage, message] of [
    ['FROM scratch AS src\nCOPY a /', /does not meet source-only requirements: unsupported COPY instruction/],
    ['FROM scratch AS src\nADD a /', /must be a single HTTP\(S\) or Git ADD/],
    ['FROM scratch AS src', /must contain exactly one remote ADD/],
    ['FROM base AS src\nADD http://127.0.0.1/x /', /must use FROM scratch/],
  ] as const) {
    await assert.rejects(times(file(`ARG SOURCE_DATE_EPOCH=src\n${stage}`)), { code: 'DOCKERFILE', message });
  }
  await assert.rejects(times(file('ARG SOURCE_DATE_EPOCH=99999999999999')), { code: 'USAGE' });
});
