/** Secrets planted in builds: where they are found, what is said, and that the value itself is nowhere. RUN needs root. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { gzipSync } from 'node:zlib';
import { isSiruError, type SiruError } from '../../base/errors.ts';
import type { Event } from '../../base/events.ts';
import { busyboxMissing, makeBusyboxImage } from '../../images/testing/make-image.ts';
import { temporaryStore } from '../../images/testing/temporary-store.ts';
import type { Store } from '../../store/store.ts';
import { build } from '../build.ts';
import type { BuildOptions } from '../options.ts';

const cannotRun = process.platform !== 'linux' ? 'RUN needs Linux' : process.getuid?.() === 0 ? busyboxMissing() : 'this test runs its steps as root';
const value = 'ghp_Zx81kQ0vR7-planted';

interface Attempt {
  error?: SiruError;
  events: Event[];
  /** All that the build told, its error included. */
  told: string;
  warnings: string[];
  log: string;
  cached: number;
}

interface World {
  store: Store;
  context: string;
  write: (files: Record<string, string | Uint8Array>) => void;
  attempt: (dockerfile: string, options?: Partial<BuildOptions>) => Promise<Attempt>;
}

async function world(t: TestContext): Promise<World> {
  const temporary = await temporaryStore();
  t.after(() => temporary[Symbol.asyncDispose]());
  const { store, folder } = temporary;
  const context = join(folder, 'context');
  mkdirSync(context);
  if (!busyboxMissing()) makeBusyboxImage(store, 'base:1');
  return {
    store,
    context,
    write(files) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(context, name)), { recursive: true });
        writeFileSync(join(context, name), text);
      }
    },
    async attempt(dockerfile, options = {}) {
      const events: Event[] = [];
      let error: unknown;
      let cached = 0;
      try {
        ({ steps: { cached } } = await build({ store, context, dockerfileText: dockerfile, secrets: [{ id: 'token', value }], onEvent: (event) => events.push(event), ...options }));
      } catch (thrown) {
        assert.ok(isSiruError(thrown), String((thrown as Error).stack));
        error = thrown;
      }
      const told = `${JSON.stringify(events)}${error === undefined ? '' : `${(error as SiruError).message} ${(error as SiruError).hint}`}`;
      return {
        ...(error === undefined ? {} : { error: error as SiruError }),
        events,
        told,
        cached,
        warnings: events.flatMap((event) => (event.type === 'warning' ? [`${event.line ?? '-'}: ${event.text}`] : [])),
        log: events.map((event) => (event.type === 'step-log' ? event.text : '')).join(''),
      };
    },
  };
}

function fails({ error, told }: Attempt, message: RegExp): void {
  assert.equal(error?.code, 'SECRET', told);
  assert.match(error.message, message);
  assert.match(error.message, /^[^\n]*secret token/);
  assert.ok(!told.includes(value), told);
}

const mount = '--mount=type=secret,id=token';

test('a secret in a file of a RUN fails the build and names file and line', { skip: cannotRun }, async (t) => {
  const { attempt } = await world(t);
  fails(await attempt(`FROM base:1\nRUN true\nRUN ${mount} mkdir /app && cp /run/secrets/token /app/.npmrc\n`), /is in \/app\/\.npmrc[^]*Dockerfile:3/);
  // What failed is not in the cache: it fails again.
  fails(await attempt(`FROM base:1\nRUN true\nRUN ${mount} mkdir /app && cp /run/secrets/token /app/.npmrc\n`), /is in \/app\/\.npmrc/);
});

test('a secret in any form, in a name, a link or an attribute of a copied file', async (t) => {
  const { attempt, write, context } = await world(t);
  write({ 'a/login': `Basic ${Buffer.from(`user:${value}`).toString('base64')}`, [`b/x-${value}`]: '', 'd/ok': 'nothing' });
  mkdirSync(join(context, 'c'));
  symlinkSync(`https://${value}@example.org/`, join(context, 'c/link'));
  fails(await attempt('FROM scratch\nCOPY a /a\n'), /is in \/a\/login/);
  fails(await attempt('FROM scratch\nCOPY b /b\n'), /is in the name of \/b\/x-\*\*\*/);
  fails(await attempt('FROM scratch\nCOPY c /c\n'), /is in the target of the link \/c\/link/);
  assert.equal((await attempt('FROM scratch\nCOPY d /d\n')).error, undefined);
});

test('a secret in the environment, in labels and in the history', async (t) => {
  const { attempt } = await world(t);
  fails(await attempt(`FROM scratch\nENV GREETING=${value}\n`), /config of the image: Env GREETING/);
  fails(await attempt(`FROM scratch\nENV GREETING=${value}\n`), /history of the image, entry 1 \(ENV\), which line 2 made/);
  fails(await attempt(`FROM scratch\nLABEL a=1\nLABEL org.example.note="see ${encodeURIComponent(value)}"\n`), /config of the image: Labels\.org\.example\.note/);
  fails(await attempt('FROM scratch\n', { labels: { note: value } }), /Labels\.note/);
});

test('a secret in the log is masked, however it is cut, and a warning names the line', { skip: cannotRun }, async (t) => {
  const { attempt, store } = await world(t);
  const dockerfile = `FROM base:1\nRUN ${mount} echo one; echo "two $(cat /run/secrets/token) three"; printf ghp_Zx81k; sleep 0.1; echo Q0vR7-planted; cat /run/secrets/token; false || true\n`;
  const done = await attempt(dockerfile);
  assert.equal(done.error, undefined);
  assert.equal(done.log, 'one\ntwo *** three\n***\n***');
  assert.deepEqual(done.warnings, ['2: the value of the secret token is in what the step wrote, line 2 of its log, where it is masked']);
  assert.ok(!done.told.includes(value));
  const strict = await attempt(dockerfile, { noCache: true, secretGuard: 'strict' });
  assert.equal(strict.error?.code, 'SECRET');
  for (const name of readdirSync(join(store.root), { recursive: true, withFileTypes: true })) {
    if (name.isFile()) assert.ok(!readFileSync(join(name.parentPath, name.name)).includes(value), `${name.parentPath}/${name.name}`);
  }
});

test('a failing command does not tell the secret either', { skip: cannotRun }, async (t) => {
  const { attempt } = await world(t);
  const { error, told } = await attempt(`FROM base:1\nRUN echo ${value} >&2; printf ghp_Zx; exit 3\n`);
  assert.equal(error?.code, 'RUN_FAILED');
  assert.match(told, /printf ghp_Zx/);
  assert.ok(!told.includes(value));
});

test('in a compressed file it is not found: a limit that docs/secrets.md states', async (t) => {
  const { attempt, write } = await world(t);
  write({ 'archive.gz': gzipSync(`much text around it ${value} and behind`) });
  assert.equal((await attempt('FROM scratch\nCOPY archive.gz /\n')).error, undefined);
});

test('a sensitive build argument or ENV is a warning, which a strict guard makes an error', { skip: cannotRun }, async (t) => {
  const { attempt } = await world(t);
  const dockerfile = 'FROM base:1\nARG API_TOKEN\nARG VERSION\nENV DB_PASSWORD=tell-nobody-1\nRUN echo "$API_TOKEN" > /etc/token\nRUN echo "$API_TOKEN $VERSION"\n';
  const options = { secrets: [], buildArgs: { API_TOKEN: value, VERSION: 'public-value-1' } };
  const done = await attempt(dockerfile, options);
  assert.equal(done.error, undefined);
  assert.equal(done.log, '*** public-value-1\n');
  const found = done.warnings.filter((text) => text.includes('the value of'));
  assert.deepEqual(found.map((text) => text.replace(/the value of the variable /, '')).sort(), [
    '-: API_TOKEN is in the history of the image, entry 2 (ARG), which line 2 made, and in 2 other places',
    '-: DB_PASSWORD is in the history of the image, entry 4 (ENV), which line 4 made, and in one other place',
    '5: API_TOKEN is in /etc/token',
    '6: API_TOKEN is in what the step wrote, line 1 of its log, where it is masked',
  ]);
  // The layer is in the cache; it is told all the same.
  const again = await attempt(dockerfile, options);
  assert.equal(again.cached, 2);
  assert.ok(again.warnings.includes('5: the value of the variable API_TOKEN is in /etc/token'));
  const strict = await attempt(dockerfile, { ...options, secretGuard: 'strict' });
  assert.equal(strict.error?.code, 'SECRET');
  const allowed = await attempt(dockerfile, { ...options, secretGuard: 'strict', allowedSecrets: ['API_TOKEN', 'DB_PASSWORD'] });
  assert.equal(allowed.error, undefined);
});

test('a layer that was made before the value was secret is searched for it, once', async (t) => {
  const { attempt, write, store } = await world(t);
  write({ '.env': `TOKEN=${value}\n`, 'app/main.js': 'main()' });
  const dockerfile = 'FROM scratch\nCOPY app /app\nCOPY .env /\n';
  assert.equal((await attempt(dockerfile, { secrets: [] })).error, undefined);
  for (let round = 0; round < 2; round++) fails(await attempt(dockerfile), /is in \/\.env[^]*Dockerfile:3/);
  assert.equal((await attempt(dockerfile, { allowedSecrets: ['token'] })).error, undefined);
  assert.equal((await attempt(dockerfile, { secretGuard: 'off' })).error, undefined);
  // Another secret is not in it; that is remembered, so that the blob is not needed any more.
  const other = { secrets: [{ id: 'other', value: 'another-value-1' }] };
  assert.equal((await attempt(dockerfile, other)).error, undefined);
  assert.equal((await attempt(dockerfile, other)).cached, 2);
  assert.ok(readdirSync(join(store.root, 'listings')).length > 0);
});

test('values that may stand anywhere mask nothing and find nothing', { skip: cannotRun }, async (t) => {
  const { attempt } = await world(t);
  const done = await attempt('FROM base:1\nARG USE_TOKEN=true\nRUN echo 1 true production $USE_TOKEN | tee /file\n', {
    secrets: [{ id: 'one', value: '1' }, { id: 'yes', value: 'true\n' }, { id: 'stage', value: 'production' }, { id: 'empty', value: '' }],
  });
  assert.equal(done.error, undefined);
  assert.equal(done.log, '1 true production true\n');
});

test('a secret of several lines is found by one of them', async (t) => {
  const { attempt, write } = await world(t);
  write({ file: '_authToken=npm_a8Kd93kDk20fjLs0dkW1\n' });
  const npmrc = 'registry=https://registry.example.org/\n//registry.example.org/:_authToken=npm_a8Kd93kDk20fjLs0dkW1\n';
  const { error } = await attempt('FROM scratch\nCOPY file /\n', { secrets: [{ id: 'npmrc', value: npmrc }] });
  assert.equal(error?.code, 'SECRET');
});
