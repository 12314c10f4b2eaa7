/** The pages over HTTP, as a browser without JavaScript sees them. */
import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { test } from 'node:test';
import { mediaTypes } from '../../oci/media-types.ts';
import type { Access } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import { contentOf, indexOf, manifestOf, pushBlob, pushImage, putManifest, randomContent } from '../testing/content.ts';
import { startTestServer } from '../testing/start-server.ts';
import type { TestServer } from '../testing/start-server.ts';
import { createWebPages } from './web-pages.ts';

const start = (more: Parameters<typeof startTestServer>[0] = {}): Promise<TestServer> => startTestServer({ groups: [createWebPages()], ...more });

async function page(registry: TestServer, path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string; headers: Headers }> {
  const response = await fetch(`${registry.url}${path}`, { headers: { accept: 'text/html', ...headers }, redirect: 'manual' });
  return { status: response.status, text: await response.text(), headers: response.headers };
}

const configOf = (more: object = {}): ReturnType<typeof contentOf> => contentOf(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: [] }, ...more }));

/** Markup without what elements show. */
const tagsOf = (text: string): string[] => [...text.matchAll(/<[^>]*>/g)].map(([tag]) => tag);

test('repositories, tags and images are listed with what is in them', async () => {
  await using registry = await start();
  const config = configOf({
    created: '2024-05-06T07:08:09Z',
    config: { Cmd: ['serve'], Env: ['MODE=fast'], Labels: { 'org.example.team': 'blue' }, ExposedPorts: { '80/tcp': {} } },
    history: [{ created_by: 'COPY . /app # buildkit' }, { created_by: 'ENV MODE=fast', empty_layer: true }, { created_by: '/bin/sh -c make install' }],
  });
  const { manifest, layers } = await pushImage(registry.url, 'team/app', '1.0', { config, layers: [randomContent(1500), randomContent(2500)] });
  const first = await page(registry, '/');
  assert.equal(first.status, 200);
  assert.match(first.text, /<a href="\/r\/team\/app">team\/app<\/a><\/th><td class="number">1</);
  const tags = await page(registry, '/r/team/app');
  assert.match(tags.text, /<a href="\/r\/team\/app:1\.0">1\.0<\/a>/);
  assert.match(tags.text, /linux\/amd64/);
  const image = await page(registry, '/r/team/app:1.0');
  for (const text of [manifest.digest, '<code class="step">COPY . /app</code>', '<code class="step">RUN make install</code>', '1.5 kB', '2.5 kB', 'MODE', 'fast', 'org.example.team', '80/tcp', '3 instructions', layers[0]!.digest]) {
    assert.ok(image.text.includes(text), text);
  }
  assert.ok(image.text.includes(`siru pull ${registry.host}/team/app:1.0\ndocker pull ${registry.host}/team/app:1.0`));
  // The layer of each instruction stands in its row.
  assert.match(image.text, new RegExp(`RUN make install</code></td><td class="number"><span title="2500 bytes">2.5 kB</span></td><td class="wide"><code title="${layers[1]!.digest}">`));
});

test('an index shows its platforms, the attestations in it and what is not here', async () => {
  await using registry = await start();
  const { manifest } = await pushImage(registry.url, 'app', 'amd');
  const elsewhere = randomContent();
  const attestation = manifestOf({ config: configOf(), layers: [] });
  await pushBlob(registry.url, 'app', configOf());
  await putManifest(registry.url, 'app', attestation.digest, attestation);
  const index = contentOf(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.index,
    manifests: [
      { mediaType: mediaTypes.manifest, digest: manifest.digest, size: manifest.bytes.length, platform: { os: 'linux', architecture: 'amd64' } },
      { mediaType: mediaTypes.manifest, digest: elsewhere.digest, size: 1000, platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } },
      { mediaType: mediaTypes.manifest, digest: attestation.digest, size: attestation.bytes.length, platform: { os: 'unknown', architecture: 'unknown' }, annotations: { 'vnd.docker.reference.type': 'attestation-manifest', 'vnd.docker.reference.digest': manifest.digest } },
    ],
  }));
  await putManifest(registry.url, 'app', 'all', index, mediaTypes.index);
  const { text } = await page(registry, '/r/app:all');
  assert.match(text, /2 platforms/);
  assert.match(text, /linux\/arm64[^\n]*not here/);
  assert.match(text, /Attestations in the index[^]*<th scope="row">linux\/amd64<\/th>/);
  assert.ok(text.includes(`<a href="/r/app@${manifest.digest}">`));
  assert.doesNotMatch((await page(registry, '/r/app')).text, /unknown\/unknown/);
});

test('referrers are shown by what they are, also those of cosign\'s tags', async () => {
  await using registry = await start();
  const { manifest } = await pushImage(registry.url, 'app', 'v1');
  const empty = contentOf('{}');
  await pushBlob(registry.url, 'app', empty);
  const subject = { mediaType: mediaTypes.manifest, digest: manifest.digest, size: manifest.bytes.length };
  for (const artifactType of ['application/spdx+json', 'application/vnd.dev.sigstore.bundle.v0.3+json', 'application/vnd.in-toto+json', 'text/x-note']) {
    const referrer = manifestOf({ config: empty, layers: [empty], more: { artifactType, subject, annotations: { 'org.opencontainers.image.description': `about ${artifactType}` } } });
    await putManifest(registry.url, 'app', referrer.digest, referrer);
  }
  await pushImage(registry.url, 'app', `${manifest.digest.replace(':', '-')}.sig`);
  const { text } = await page(registry, '/r/app:v1');
  for (const [kind, type] of [['SBOM', 'application/spdx+json'], ['signature', 'application/vnd.dev.sigstore.bundle.v0.3+json'], ['attestation', 'application/vnd.in-toto+json'], ['other', 'text/x-note']]) {
    assert.ok(text.includes(`<th scope="row">${kind}</th><td class="text">${type}`), kind);
  }
  assert.match(text, /5 manifests that refer/);
  assert.match(text, /<th scope="row">signature<\/th>[^\n]*tag sha256-/);
});

test('whatever stands in an image, nothing of it becomes markup', async () => {
  await using registry = await start();
  const evil = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\u202e\x1b[2J\x00</style></title>{{7*7}}\${1}javascript:alert(3)`;
  const config = configOf({
    author: evil, os: evil, architecture: evil, variant: evil,
    config: { User: evil, WorkingDir: evil, Cmd: [evil], Entrypoint: [evil], Env: [`${evil}=${evil}`], Labels: { [evil]: evil }, ExposedPorts: { [evil]: {} }, Volumes: { [evil]: {} }, StopSignal: evil, OnBuild: [evil], Healthcheck: { Test: [evil] } },
    history: [{ created_by: evil, comment: evil, author: evil }, { created_by: evil, empty_layer: true }],
  });
  const { manifest } = await pushImage(registry.url, 'app', 'evil', { config, more: { annotations: { [evil]: evil } } });
  const empty = contentOf('{}');
  await pushBlob(registry.url, 'app', empty);
  const referrer = contentOf(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.manifest, artifactType: evil,
    config: { mediaType: mediaTypes.empty, digest: empty.digest, size: 2 },
    layers: [{ mediaType: 'text/plain', digest: empty.digest, size: 2, annotations: { 'org.opencontainers.image.title': evil, 'in-toto.io/predicate-type': evil } }],
    subject: { mediaType: mediaTypes.manifest, digest: manifest.digest, size: 1 }, annotations: { 'org.opencontainers.image.title': evil },
  }));
  assert.equal((await putManifest(registry.url, 'app', 'artifact', referrer)).status, 201);
  const index = contentOf(JSON.stringify({
    schemaVersion: 2, mediaType: mediaTypes.index, annotations: { [evil]: evil }, artifactType: evil,
    manifests: [
      { mediaType: mediaTypes.manifest, digest: manifest.digest, size: 1, platform: { os: evil, architecture: evil, variant: evil } },
      { mediaType: mediaTypes.manifest, digest: manifest.digest, size: 1, annotations: { 'vnd.docker.reference.digest': evil } },
      { mediaType: mediaTypes.manifest, digest: `weird:${'a'.repeat(50)}`, size: 1 },
    ],
  }));
  assert.equal((await putManifest(registry.url, 'app', 'index', index, mediaTypes.index)).status, 201);
  const paths = [
    '/r/app', '/r/app:evil', '/r/app:artifact', '/r/app:index', `/r/app@${manifest.digest}`, `/delete/app@${manifest.digest}`,
    `/?q=${encodeURIComponent(evil)}`, `/r/app?q=${encodeURIComponent(evil)}`, `/?last=${encodeURIComponent(evil)}`, `/r/app?last=${encodeURIComponent(evil)}`,
    `/r/app:evil?last=${encodeURIComponent(evil)}`, `/r/${encodeURIComponent(evil)}`, `/delete/${encodeURIComponent(evil)}`,
  ];
  for (const path of paths) {
    const { text, headers } = await page(registry, path);
    const tags = tagsOf(text);
    assert.ok(!tags.some((tag) => /^<\/?(?:script|img|iframe|object|embed|svg|style|base)\b/i.test(tag)), path);
    for (const tag of tags) assert.doesNotMatch(tag.replace(/"[^"]*"/g, '""'), /\son\w+=|javascript:/i, path);
    assert.equal(tags.filter((tag) => tag.startsWith('<title')).length, 1, path);
    // oxlint-disable-next-line no-control-regex -- that is the question
    assert.doesNotMatch(text, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/, path);
    assert.match(headers.get('content-security-policy')!, /default-src 'none'/);
  }
});

test('nothing is fetched from elsewhere, nothing is a script, and every table has a caption and heads', async () => {
  await using registry = await start();
  const { manifest } = await pushImage(registry.url, 'app', 'v1', { config: configOf({ config: { Labels: { a: 'b' }, Env: ['A=b'], Cmd: ['x'] }, history: [{ created_by: 'RUN x' }] }), more: { annotations: { a: 'b' } } });
  await putManifest(registry.url, 'app', 'all', indexOf([manifest]), mediaTypes.index);
  for (const path of ['/', '/r/app', '/r/app:v1', '/r/app:all', `/delete/app@${manifest.digest}`, '/nothing-but-404', '/r/none']) {
    if (path === '/nothing-but-404') continue;
    const { text, headers } = await page(registry, path);
    for (const [, target] of text.matchAll(/(?:href|src|action)="([^"]*)"/g)) assert.match(target!, /^(?:\/|#content$|data:,$)/, path);
    assert.doesNotMatch(text, /<script|style=|\son[a-z]+=/i);
    assert.equal(text.match(/<table>/g)?.length ?? 0, text.match(/<caption/g)?.length ?? 0, path);
    for (const [, head] of text.matchAll(/<thead>([^]*?)<\/thead>/g)) assert.doesNotMatch(head!, /<th(?! scope="col")/, path);
    for (const mark of ['<html lang="en">', '<a class="skip" href="#content">', '<main id="content"', '<header>', 'role="search"', '<h1>']) assert.ok(text.includes(mark), `${path}: ${mark}`);
    assert.equal(text.match(/<h1>/g)?.length, 1);
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    for (const [, id] of text.matchAll(/<label for="([^"]+)"/g)) assert.ok(text.includes(`id="${id}"`));
  }
  const style = /<link rel="stylesheet" href="([^"]+)">/.exec((await page(registry, '/')).text)![1]!;
  const response = await fetch(registry.url + style);
  assert.equal(response.headers.get('content-type'), 'text/css; charset=utf-8');
  assert.match(response.headers.get('cache-control')!, /immutable/);
  assert.match(await response.text(), /prefers-color-scheme: dark/);
  assert.equal((await page(registry, '/_siru/web/0000.css')).status, 404);
});

test('lists come in pages, and can be searched', async () => {
  await using registry = await start();
  const manifest = indexOf([]);
  for (let i = 0; i < 60; i++) await putManifest(registry.url, `group/r${String(i).padStart(2, '0')}`, 'v', manifest, mediaTypes.index);
  for (let i = 0; i < 60; i += 10) {
    const query = Array.from({ length: 10 }, (_, n) => `tag=t${String(i + n).padStart(2, '0')}`).join('&');
    await fetch(`${registry.url}/v2/many/manifests/${manifest.digest}?${query}`, { method: 'PUT', body: manifest.bytes, headers: { 'content-type': mediaTypes.index } });
  }
  const count = (text: string): number => text.match(/<th scope="row">/g)?.length ?? 0;
  for (const path of ['/', '/r/many']) {
    const first = await page(registry, path);
    assert.equal(count(first.text), 50);
    const next = /rel="next" href="([^"]+)"/.exec(first.text)![1]!.replaceAll('&amp;', '&');
    const second = await page(registry, next);
    assert.equal(count(second.text), path === '/' ? 11 : 10);
    assert.doesNotMatch(second.text, /rel="next"/);
  }
  assert.equal(count((await page(registry, '/?q=ROUP%2Fr5')).text), 10);
  assert.match((await page(registry, '/?q=zzz')).text, /No repository/);
  assert.equal(count((await page(registry, '/r/many?q=t5')).text), 10);
});

test('browsers get the page, clients that want JSON do not, and /v2/ is what it was', async () => {
  await using registry = await start();
  const response = await fetch(`${registry.url}/`, { headers: { accept: 'application/json' } });
  assert.deepEqual(await response.json(), { registry: '/v2/' });
  assert.match((await page(registry, '/')).headers.get('content-type')!, /^text\/html/);
  const base = await fetch(`${registry.url}/v2/`, { headers: { accept: 'text/html' } });
  assert.equal(base.headers.get('content-type'), 'application/json');
  for (const path of ['/r/App', '/r/app:..', '/r/', '/delete/app', '/r/app@sha256:12', '/r/%ff']) assert.equal((await page(registry, path)).status, 404, path);
  const post = await fetch(`${registry.url}/r/app`, { method: 'POST' });
  assert.equal(post.status, 405);
  const head = await fetch(`${registry.url}/`, { method: 'HEAD' });
  assert.ok(Number(head.headers.get('content-length')) > 500);
});

test('the host of commands is the browser\'s or the setting, never what an attacker writes', async () => {
  await using registry = await start();
  await pushImage(registry.url, 'app', 'v1');
  const body = (host: string): Promise<string> => new Promise((resolve, reject) => {
    httpRequest(`${registry.url}/r/app:v1`, { headers: { host } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve(text));
    }).on('error', reject).end();
  });
  assert.match(await body('registry.example:8443'), /docker pull registry\.example:8443\/app:v1/);
  assert.doesNotMatch(await body('evil;curl x|sh'), /curl/);
  await using named = await startTestServer({ groups: [createWebPages({ host: 'r.example' })] });
  await pushImage(named.url, 'app', 'v1');
  assert.match((await page(named, '/r/app:v1')).text, /docker pull r\.example\/app:v1/);
});

/** ann may all, bob may pull `open`, and nobody else may anything. */
const rules: Access = {
  identify: ({ headers: { authorization } }) => {
    const name = Buffer.from(authorization?.replace('Basic ', '') ?? '', 'base64').toString().split(':')[0]!;
    return name === '' ? undefined : { name, groups: [] };
  },
  allow: ({ user, action, repository }) => {
    if (user?.name === 'ann' || (user?.name === 'bob' && (action === 'catalog' || (action === 'pull' && repository === 'open')))) return;
    if (user === undefined) throw new Refusal('UNAUTHORIZED', 'who are you?', { headers: { 'www-authenticate': 'Bearer realm="x"' } });
    throw new Refusal('DENIED', 'not for you');
  },
  sees: (user, repository) => user?.name === 'ann' || repository === 'open',
};
const as = (name: string): Record<string, string> => ({ authorization: `Basic ${Buffer.from(`${name}:x`).toString('base64')}` });

test('pages show what the viewer may see, and offer what they may do', async () => {
  await using open = await start();
  await pushImage(open.url, 'open', 'v1');
  await pushImage(open.url, 'secret', 'v1');
  await open.storage.durable();
  await using registry = await start({ access: rules, root: open.root });
  const anybody = await page(registry, '/');
  assert.equal(anybody.status, 401);
  assert.equal(anybody.headers.get('www-authenticate'), 'Basic realm="registry", charset="UTF-8"');
  assert.doesNotMatch(anybody.text, /secret/);
  assert.match(anybody.text, /href="\/login"/);
  const bob = await page(registry, '/', as('bob'));
  assert.match(bob.text, /\/r\/open/);
  assert.doesNotMatch(bob.text, /secret/);
  assert.equal((await page(registry, '/r/secret', as('bob'))).status, 403);
  assert.equal((await page(registry, '/r/secret:v1', as('bob'))).status, 403);
  assert.doesNotMatch((await page(registry, '/r/open:v1', as('bob'))).text, /\/delete\//);
  assert.equal((await page(registry, '/delete/open:v1', as('bob'))).status, 403);
  const ann = await page(registry, '/r/secret:v1', as('ann'));
  assert.match(ann.text, /href="\/delete\/secret:v1"/);
  assert.match(ann.text, /<p class="user">ann<\/p>/);
  assert.equal((await page(registry, '/login')).status, 401);
  assert.equal((await page(registry, '/login', as('ann'))).status, 303);
  await using fixed = await start({ root: open.root, settings: { deletes: false } });
  assert.doesNotMatch((await page(fixed, '/r/open:v1')).text, /\/delete\//);
  assert.equal((await page(fixed, '/delete/open:v1')).status, 405);
});

interface Form {
  path: string;
  cookie: string;
  body: string;
}

async function formOf(registry: TestServer, path: string): Promise<Form> {
  const { text, headers } = await page(registry, path);
  const value = (name: string): string => new RegExp(`name="${name}" value="([^"]*)"`).exec(text)![1]!;
  const set = headers.get('set-cookie')!;
  assert.match(set, /; HttpOnly; SameSite=Strict$/);
  return { path, cookie: set.split(';')[0]!, body: new URLSearchParams({ token: value('token'), digest: value('digest') }).toString() };
}

function send(registry: TestServer, { path, cookie, body }: Form, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(registry.url + path, { method: 'POST', redirect: 'manual', body, headers: { 'content-type': 'application/x-www-form-urlencoded', origin: registry.url, cookie, ...headers } });
}

test('a tag is deleted by the form of its page; the manifest stays, and goes by its own', async () => {
  await using registry = await start();
  const { manifest } = await pushImage(registry.url, 'app', 'v1');
  await putManifest(registry.url, 'app', 'v2', manifest);
  const answer = await send(registry, await formOf(registry, '/delete/app:v1'));
  assert.equal(answer.status, 303);
  assert.equal(answer.headers.get('location'), '/r/app');
  assert.equal((await page(registry, '/r/app:v1')).status, 404);
  assert.equal((await page(registry, `/r/app@${manifest.digest}`)).status, 200);
  const whole = `/delete/app@${manifest.digest}`;
  assert.match((await page(registry, whole)).text, /<li>v2<\/li>/);
  assert.equal((await send(registry, await formOf(registry, whole))).status, 303);
  assert.equal((await page(registry, '/r/app:v2')).status, 404);
  const deletes = registry.events.filter(({ type }) => type === 'delete');
  assert.deepEqual(deletes.map((event) => (event.type === 'delete' ? [event.kind, event.tags] : [])), [['tag', ['v1']], ['manifest', []]]);
});

test('pages of other sites cannot have a browser change anything, by the API either', async () => {
  await using registry = await start();
  for (const site of ['cross-site', 'same-site']) {
    const response = await fetch(`${registry.url}/v2/app/blobs/uploads/`, { method: 'POST', headers: { 'sec-fetch-site': site } });
    assert.equal(response.status, 403);
  }
  // A page may link here.
  assert.equal((await page(registry, '/', { 'sec-fetch-site': 'cross-site' })).status, 200);
});

test('a form of another site, without its cookie, or of a tag that has moved deletes nothing', async () => {
  await using registry = await start();
  await pushImage(registry.url, 'app', 'v1');
  const form = await formOf(registry, '/delete/app:v1');
  const wrong: Record<string, string>[] = [
    { origin: 'http://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }, { 'sec-fetch-site': 'same-site' }, { cookie: '' }, { cookie: 'siru-form=x' }, { origin: '' },
  ];
  for (const headers of wrong) assert.equal((await send(registry, form, headers)).status, 403, JSON.stringify(headers));
  assert.equal((await send(registry, { ...form, body: 'digest=x' })).status, 403);
  assert.equal((await send(registry, { ...form, body: `token=${'x'.repeat(9000)}` })).status, 413);
  // The token of one form is not another's cookie.
  const other = await formOf(registry, '/delete/app:v1');
  assert.equal((await send(registry, { ...form, cookie: other.cookie })).status, 403);
  await pushImage(registry.url, 'app', 'v1', { more: { annotations: { moved: 'yes' } } });
  assert.equal((await send(registry, form)).status, 409);
  assert.equal((await page(registry, '/r/app:v1')).status, 200);
  const refused: Access = { identify: () => undefined, allow: () => {}, changeTag: () => { throw new Refusal('DENIED', 'the tag v1 is for good'); } };
  await using immutable = await start({ access: refused, root: registry.root });
  const answer = await send(immutable, await formOf(immutable, '/delete/app:v1'));
  assert.equal(answer.status, 403);
  assert.match(await answer.text(), /for good/);
});
