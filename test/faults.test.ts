/** Bad input and faults: a message with the place and what to do, an exit code that is not 0, the store as it was. */
import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { makeImage, makeIndex } from '../src/images/testing/make-image.ts';
import { serve } from '../src/remote/testing/serve.ts';
import { openStore } from '../src/store/open-store.ts';
import { assertFriendly } from './support/cases.ts';
import { imageArchive } from './support/image-archive.ts';
import { findProgram, needs } from './support/missing.ts';
import { registryMissing, startRegistry } from './support/registry.ts';
import { command } from './support/siru.ts';
import type { Outcome } from './support/siru.ts';
import { temporaryFiles, unchanged, verifyBlobs } from './support/store-state.ts';
import { rawTar } from './support/tar.ts';
import type { RawEntry } from './support/tar.ts';
import { createWorld, settled } from './support/world.ts';
import type { Files } from './support/world.ts';

interface Fault {
  name: string;
  /** The Dockerfile. */
  file: string;
  files?: Files;
  args?: string[];
  /** All must be found in what it says. */
  says: RegExp[];
}

const dockerfiles: Fault[] = [
  { name: 'an instruction without arguments', file: 'FROM base\n\nCOPY a\n', files: { a: '' }, says: [/COPY/, /Dockerfile:3/, /3 \| >>> COPY a/, /^hint: /m] },
  { name: 'an unknown instruction, with a suggestion', file: 'FROM base\nRUNN true\n', says: [/RUNN/, /Dockerfile:2/, />>> RUNN true/, /RUN\b(?!N)/] },
  { name: 'no instruction at all', file: '# nothing\n', says: [/Dockerfile/, /^hint: /m] },
  { name: 'an instruction before FROM', file: 'RUN true\n', says: [/FROM/, /Dockerfile:1/] },
  { name: 'a heredoc without an end', file: 'FROM base\nRUN <<EOF\ntrue\n', says: [/EOF/, /Dockerfile:2/] },
  { name: 'SHELL without JSON', file: 'FROM base\nSHELL /bin/sh\n', says: [/SHELL/, /Dockerfile:2/] },
  { name: 'an unknown flag of an instruction, with a suggestion', file: 'FROM base\nCOPY --form=x a b\n', says: [/--form/, /--from/, /Dockerfile:2/] },
  { name: 'a bad variable', file: 'FROM base\nENV A=${B\n', says: [/Dockerfile:2/, /ENV A=\$\{B/] },
  { name: 'a required variable', file: 'FROM base\nENV A=${B:?set B please}\n', says: [/set B please/, /Dockerfile:2/] },
  { name: 'an unknown stage in COPY --from', file: 'FROM base AS builder\nFROM base\nCOPY --from=bilder /a /a\n', args: ['--mirror', 'docker.io=127.0.0.1:1'], says: [/bilder/, /Dockerfile:3/, /builder/] },
  { name: 'a stage number that does not exist', file: 'FROM base\nCOPY --from=3 /a /a\n', says: [/3/, /Dockerfile:2/] },
  { name: 'an unknown --target', file: 'FROM base AS builder\n', args: ['--target', 'bulder'], says: [/bulder/, /builder/] },
  { name: 'a name that is no image', file: 'FROM Upper/Case:::\n', says: [/Upper\/Case/, /Dockerfile:1/] },
  { name: 'an empty FROM', file: 'ARG BASE\nFROM $BASE\n', says: [/Dockerfile:2/, /BASE|blank|empty/] },
  { name: 'EXPOSE of no port', file: 'FROM base\nEXPOSE 99999\n', says: [/99999/, /Dockerfile:2/] },
  { name: 'ONBUILD of ONBUILD', file: 'FROM base\nONBUILD ONBUILD RUN true\n', says: [/ONBUILD/, /Dockerfile:2/] },
  { name: 'a mount type that does not exist', file: 'FROM base\nRUN --mount=type=cash,target=/c true\n', says: [/cash/, /cache/, /Dockerfile:2/] },
  { name: 'a missing source, with the nearest path', file: 'FROM base\nCOPY src/ap.js /\n', files: { 'src/app.js': '' }, says: [/src\/ap\.js/, /src\/app\.js/, /Dockerfile:2/] },
  { name: 'an ignored source, with the rule', file: 'FROM base\nCOPY src/app.log /\n', files: { 'src/app.log': '', '.dockerignore': 'x\n**/*.log\n' }, says: [/src\/app\.log/, /\*\*\/\*\.log/, /\.dockerignore/, /Dockerfile:2/] },
  { name: 'a missing source in a stage', file: 'FROM base AS one\nFROM base\nCOPY --from=one /etc/passwdd /\n', says: [/etc\/passwdd/, /etc\/passwd\?/, /Dockerfile:3/] },
  { name: 'a folder over a file', file: 'FROM base\nCOPY d /etc/passwd\n', files: { 'd/x': '' }, says: [/etc\/passwd/, /Dockerfile:2/] },
  { name: 'a user who does not exist', file: 'FROM base\nUSER kim\nRUN true\n', says: [/kim/, /Dockerfile:3/] },
  { name: 'no Dockerfile', file: '', files: { Dockerfile: { link: 'nowhere' } }, says: [/Dockerfile/, /^hint: /m] },
];

test('Dockerfiles that cannot be built', { skip: needs('busybox') }, async (t) => {
  await using world = await createWorld();
  await world.base();
  for (const fault of dockerfiles) {
    await t.test(fault.name, async () => {
      const { Dockerfile, ...rest } = { Dockerfile: fault.file, ...fault.files };
      const context = world.context({ ...rest, ...(fault.file === '' ? {} : { Dockerfile }) });
      const outcome = await unchanged(world, () => world.run(['build', '-t', 'bad', ...(fault.args ?? []), '.'], { cwd: context }));
      assertFault(outcome, fault.says);
    });
  }

  await t.test('a long line, a binary file, thousands of lines', async () => {
    for (const text of [`FROM base\nRUN ${'x'.repeat(70_000)}\n`, Buffer.from([0, 1, 2, 255, 254, 10, 0]), `FROM base\n${'COPY --from=x y z\n'.repeat(20_000)}`]) {
      const context = world.context({ Dockerfile: text });
      const outcome = await unchanged(world, () => world.run(['build', '.'], { cwd: context }));
      assertFault(outcome, [/Dockerfile/]);
      assert.ok(outcome.stderr.length < 10_000, 'the message is short');
    }
  });
  await t.test('an unknown --build-arg is a warning', async () => {
    const outcome = await world.run(['build', '--progress=plain', '--build-arg', 'VERSOIN=1', world.context({ Dockerfile: 'FROM base\nARG VERSION\n' })]);
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stderr, /VERSOIN/);
  });
  await t.test('a context that does not exist', async () => {
    assertFault(await unchanged(world, () => world.run(['build', '/nonexistent/folder'])), [/\/nonexistent\/folder/]);
  });
});

test('command lines that make no sense', async (t) => {
  await using world = await createWorld();
  await world.ok('build', '-q', '-t', 'some', world.context({ Dockerfile: 'FROM scratch\n' }));
  for (const [args, says] of [
    [['biuld', '.'], [/biuld/, /build/]],
    [['build', '--taag', 'x', '.'], [/--taag/, /--tag/]],
    [['build', '-t', 'Bad Name', '.'], [/Bad Name/]],
    [['build', '--platform', 'what/ever/x/y', '.'], [/what\/ever/]],
    [['build', '--network', 'moon', '.'], [/moon/, /none/]],
    [['rmi', 'nothing:1'], [/nothing:1/]],
    [['inspect', 'nothing:1'], [/nothing:1/]],
    [['history', 'nothing:1'], [/nothing:1/]],
    [['tag', 'nothing:1', 'other'], [/nothing:1/]],
    [['save', '-o', 'x.tar', 'nothing:1'], [/nothing:1/]],
    [['push', 'nothing:1'], [/nothing:1/]],
    [['load', '-i', '/nonexistent.tar'], [/nonexistent\.tar/]],
    [['images', '--format', '{{.Nope}}'], [/Nope/]],
    [['images', '--format', '{{'], [/\{\{|template/]],
    [['images', '-f', 'what=x'], [/what/]],
  ] as [string[], RegExp[]][]) {
    await t.test(args.join(' '), async () => {
      const context = world.context({ Dockerfile: 'FROM scratch\n' });
      assertFault(await world.run(args, { cwd: context }), says);
    });
  }
});

test('registries and base images', { skip: registryMissing() || needs('busybox') }, async (t) => {
  await using registry = await startRegistry();
  await using other = await createWorld();
  const name = (path: string): string => `${registry.host}/${path}`;
  {
    await using store = await openStore({ root: other.store });
    const foreign = { os: 'linux', architecture: 'riscv64' };
    makeIndex(store, [{ image: makeImage(store, { layers: [{ a: 'x' }], platform: foreign }), platform: foreign }], name('foreign:1'));
    makeImage(store, { name: name('good:1'), layers: [{ a: 'a'.repeat(100_000) }] });
    makeImage(store, { name: name('layer:1'), layers: [{ b: 'b'.repeat(100_000) }] });
    makeImage(store, { name: name('manifest:1'), layers: [{ c: 'c'.repeat(100_000) }] });
    makeImage(store, { name: name('cut:1'), layers: [{ d: 'd'.repeat(100_000) }] });
  }
  for (const path of ['foreign:1', 'good:1', 'layer:1', 'manifest:1', 'cut:1']) await other.ok('push', '-q', name(path));
  /** File of the registry that holds a blob of an image. */
  const stored = async (digest: string): Promise<string> => {
    const hex = digest.slice(7);
    return join(registry.root, 'docker/registry/v2/blobs/sha256', hex.slice(0, 2), hex, 'data');
  };
  const manifestOf = async (path: string): Promise<{ digest: string; layer: string }> => {
    const response = await fetch(`http://${registry.host}/v2/${path.replace(':', '/manifests/')}`, { headers: { accept: 'application/vnd.oci.image.manifest.v1+json' } });
    const { layers } = (await response.json()) as { layers: { digest: string }[] };
    return { digest: response.headers.get('docker-content-digest')!, layer: layers[0]!.digest };
  };

  await using world = await createWorld();
  await world.base();
  const fails = async (image: string, says: RegExp[], args: string[] = [], env = {}): Promise<void> => {
    const context = world.context({ Dockerfile: `FROM base AS first\nFROM ${image}\nCOPY a /a\n`, a: '' });
    assertFault(await unchanged(world, () => world.run(['build', ...args, '.'], { cwd: context, env }), 'names'), [...says, /Dockerfile:2/]);
    assertFault(await unchanged(world, () => world.run(['pull', ...args, image], { env }), 'names'), says);
  };

  await t.test('an image that does not exist', () => fails(name('none:1'), [/none/, /^hint: /m]));
  await t.test('a tag that does not exist', () => fails(name('good:9'), [/\b9\b.*good|good:9/]));
  await t.test('an image for other platforms alone names those', () => fails(name('foreign:1'), [/foreign:1/, /linux\/riscv64/, /^hint: /m], ['--platform', 'linux/arm64']));
  await t.test('a layer that is not what its digest says', async () => {
    const file = await stored((await manifestOf('layer:1')).layer);
    const bytes = readFileSync(file);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(file, bytes);
    await fails(name('layer:1'), [/sha256:|digest/, new RegExp(registry.host)]);
  });
  await t.test('a layer that ends too early', async () => {
    const file = await stored((await manifestOf('cut:1')).layer);
    writeFileSync(file, readFileSync(file).subarray(0, 50));
    await fails(name('cut:1'), [new RegExp(registry.host)]);
  });
  await t.test('a manifest that is not what its digest says', async () => {
    const { digest } = await manifestOf('manifest:1');
    const file = await stored(digest);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/"size":\d+/, '"size":1'));
    await fails(name(`manifest@${digest}`), [/manifest/]);
  });
  await t.test('nobody listens', () => fails('127.0.0.1:1/group/image:1', [/127\.0\.0\.1:1/, /^hint: /m]));
  await t.test('a host that does not exist', () => fails('nowhere.invalid/image:1', [/nowhere\.invalid/, /^hint: /m]));

  await t.test('a registry that asks for a password', async () => {
    await using closed = await startRegistry({ basic: true });
    await fails(`${closed.host}/image:1`, [new RegExp(closed.host), /siru login/]);
    const wrong = await world.run(['login', '-u', 'tester', '--password-stdin', closed.host], { input: 'wrong', env: { DOCKER_CONFIG: join(world.folder, 'docker') } });
    assertFault(wrong, [new RegExp(closed.host)]);
    assert.doesNotMatch(wrong.stderr, /wrong/);
    const env = { DOCKER_CONFIG: join(world.folder, 'docker') };
    const right = await world.run(['login', '-u', 'tester', '--password-stdin', closed.host], { input: 'secret\n', env });
    assert.equal(right.code, 0, right.stderr);
    await world.ok('tag', 'base', `${closed.host}/group/base:1`);
    const pushed = await world.run(['push', `${closed.host}/group/base:1`], { env });
    assert.equal(pushed.code, 0, pushed.stderr);
    const out = await world.run(['logout', closed.host], { env });
    assert.equal(out.code, 0, out.stderr);
    assertFault(await world.run(['push', `${closed.host}/group/base:1`], { env }), [/siru login/]);
    await world.ok('rmi', `${closed.host}/group/base:1`);
    await world.ok('prune', '-f');
  });

  await t.test('a manifest of 100 MB, a registry that answers nonsense, one that is slow to begin with', async () => {
    const chunk = Buffer.alloc(1 << 20, ' ');
    await using server = await serve((request, response) => {
      if (request.url === '/v2/') response.end('{}');
      else if (request.url!.includes('/huge/')) {
        response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json', ...(request.url!.includes('said') ? { 'content-length': String(100 << 20) } : {}) });
        let left = 100;
        const more = (): void => {
          while (left-- > 0) if (!response.write(chunk)) return void response.once('drain', more);
          response.end();
        };
        more();
      } else if (request.url!.includes('/html/')) response.writeHead(200, { 'content-type': 'text/html' }).end('<html>');
      else if (request.url!.includes('/deep/')) response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }).end('['.repeat(200_000));
      else response.writeHead(500, { 'content-type': 'text/plain' }).end('\u001b[2Jbroken');
    });
    for (const tag of ['huge:said', 'huge:unsaid']) {
      const started = Date.now();
      await fails(`${server.host}/${tag}`, [/huge/, /large|MiB|MB|bytes/]);
      assert.ok(Date.now() - started < 20_000);
    }
    await fails(`${server.host}/html:1`, [/html/]);
    await fails(`${server.host}/deep:1`, [/deep/]);
    const outcome = await world.run(['pull', `${server.host}/broken:1`]);
    assertFault(outcome, [/500/]);
    assert.ok(!outcome.stderr.includes('\u001b[2J'), 'the terminal is safe from what registries say');
  });

  await t.test('a wrong configuration file', async () => {
    const file = join(world.folder, 'bad.json');
    writeFileSync(file, '{"registries": {"docker.io": {"mirrors": "x"}}}');
    assertFault(await world.run(['pull', name('good:1')], { env: { SIRU_CONFIG: file } }), [/bad\.json/, /mirrors/]);
  });
  verifyBlobs(world.store);
});

const text = 'x'.repeat(600);
const hostile: Record<string, RawEntry[]> = {
  'a path with ..': [{ name: '../escaped', text }, { name: 'd/../../../escaped', text }],
  'an absolute path': [{ name: '{outside}/escaped', text }],
  'a file below a link that leads outside': [{ name: 'd', type: '2', link: '{outside}' }, { name: 'd/escaped', text }],
  'a file below a relative link that leads outside': [{ name: 'd', type: '2', link: '../../../../../../../../../../..{outside}' }, { name: 'd/escaped', text }],
  'a file over a link': [{ name: 'f', type: '2', link: '{outside}/kept' }, { name: 'f', text }],
  'a folder over a link': [{ name: 'd', type: '2', link: '{outside}' }, { name: 'd', type: '5', mode: 0o777 }, { name: 'd/escaped', text }],
  'a hard link to the outside': [{ name: 'h', type: '1', link: '../../../../../../../..{outside}/kept' }, { name: 'h', text }],
  'a hard link to an absolute path': [{ name: 'h', type: '1', link: '{outside}/kept' }, { name: 'h', text }],
  'a hard link through a link': [{ name: 'd', type: '2', link: '{outside}' }, { name: 'h', type: '1', link: 'd/kept' }, { name: 'h', text }],
  'a whiteout of the outside': [{ name: '../.wh.kept' }, { name: 'd', type: '2', link: '{outside}' }, { name: 'd/.wh.kept' }],
  'a whiteout of ..': [{ name: 'd', type: '5' }, { name: 'd/.wh...' }, { name: 'd/.wh..' }],
  'an opaque folder through a link': [{ name: 'd', type: '2', link: '{outside}' }, { name: 'd/.wh..wh..opq' }],
  'a file over a device': [{ name: 'n', type: '3', device: [1, 3] }, { name: 'n', text }],
  'a file over a fifo': [{ name: 'p', type: '6' }, { name: 'p', text }],
  'a file that is longer than the archive': [{ name: 'f', text, size: 1 << 30 }],
  'a file of eight gigabytes': [{ name: 'f', text, size: 2 ** 33 - 1 }],
};

test('layers that try to leave their root', { skip: needs('run') }, async (t) => {
  await using world = await createWorld();
  await world.base();
  const busybox = readFileSync(findProgram('busybox')!);
  const bottom = rawTar([{ name: 'bin/', type: '5' }, { name: 'bin/busybox', text: busybox, mode: 0o755 }, { name: 'bin/sh', type: '2', link: 'busybox' }]);
  const outside = join(world.folder, 'outside');
  mkdirSync(outside);
  writeFileSync(join(outside, 'kept'), 'kept');
  for (const [name, entries] of Object.entries(hostile)) {
    await t.test(name, async (t) => {
      const filled = entries.map((entry) => ({ ...entry, name: entry.name.replace('{outside}', outside), link: entry.link?.replace('{outside}', outside) }));
      const archive = join(world.folder, 'hostile.tar');
      writeFileSync(archive, imageArchive('hostile:1', [bottom, rawTar(filled)]));
      const loaded = await world.run(['load', '-i', archive]);
      const context = world.context({ Dockerfile: 'FROM hostile:1\nCOPY a /d/a\nRUN echo ran > /ran\n', a: '' });
      const built = loaded.code === 0 ? await world.run(['build', '--progress=plain', '--mirror', 'docker.io=127.0.0.1:1', context], { timeout: 20_000 }) : loaded;
      if (built.code !== 0) assertFriendly(built);
      t.diagnostic(loaded.code !== 0 ? `refused: ${loaded.stderr.split('\n')[0]}` : built.code !== 0 ? `build refused: ${/^siru: .*/m.exec(built.stderr)?.[0]}` : 'kept inside');
      assert.notEqual(built.signal, 'SIGKILL', 'it hangs');
      assert.deepEqual(readdirSync(outside), ['kept']);
      assert.equal(readFileSync(join(outside, 'kept'), 'utf8'), 'kept');
      assert.equal(statSync(join(outside, 'kept')).nlink, 1);
      for (const place of [world.folder, world.store, join(world.store, 'layers'), join(world.store, 'tmp'), '/']) assert.ok(!existsSync(join(place, 'escaped')), `escaped into ${place}`);
      assert.equal((await world.run(['build', '-q', world.context({ Dockerfile: 'FROM base\nRUN true\n' })])).code, 0);
      await world.run(['rmi', '-f', 'hostile:1']);
      if (/longer|gigabytes/.test(name)) assert.notEqual(built.code, 0);
    });
  }
});

test('archives that are none', async (t) => {
  await using world = await createWorld();
  await world.ok('build', '-t', 'some', world.context({ Dockerfile: 'FROM scratch\nCOPY a /\n', a: '' }));
  const good = join(world.folder, 'good.tar');
  await world.ok('save', '-o', good, 'some');
  const archives: Record<string, Uint8Array> = {
    'an empty file': Buffer.alloc(0), 'no tar': Buffer.from('hello'.repeat(1000)), 'a tar of other things': rawTar([{ name: 'a', text: 'b' }]),
    'a tar cut in the middle': readFileSync(good).subarray(0, 3000),
    'a manifest that is no JSON': rawTar([{ name: 'manifest.json', text: '{"' }]),
    'a manifest that names what is not there': rawTar([{ name: 'manifest.json', text: '[{"Config":"x.json","RepoTags":["a:1"],"Layers":["../../etc/passwd"]}]' }]),
  };
  for (const [name, bytes] of Object.entries(archives)) {
    await t.test(name, async () => {
      const file = join(world.folder, 'bad.tar');
      writeFileSync(file, bytes);
      assertFault(await unchanged(world, () => world.run(['load', '-i', file]), 'names'), [/bad\.tar|archive|manifest/]);
    });
  }
});

test('a full disk', { skip: needs('root', 'run', 'mount') }, async (t) => {
  await using world = await createWorld();
  mkdirSync(world.store);
  await command(['mount', '-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', world.store]);
  try {
    await world.base();
    const context = world.context({ Dockerfile: 'FROM base\nCOPY big /big\n', big: Buffer.alloc(30 << 20, 1) });
    await t.test('COPY', async () => {
      assertFault(await unchanged(world, () => world.run(['build', context])), [/disk is full|no space/i, /siru prune/]);
    });
    await t.test('RUN', async () => {
      const filling = world.context({ Dockerfile: 'FROM base\nRUN head -c 30000000 /dev/zero > /big\n' });
      const outcome = await world.run(['build', '--progress=plain', filling]);
      assert.notEqual(outcome.code, 0);
      assertFriendly(outcome);
    });
    await t.test('the store still works: images, run, prune, a smaller build', async () => {
      await world.ok('images');
      await world.ok('prune', '-f');
      await world.ok('build', '-t', 'small', world.context({ Dockerfile: 'FROM base\nRUN echo x > /x\n' }));
      assert.equal(await world.ok('run', '--rm', 'small', 'cat', '/x'), 'x\n');
      verifyBlobs(world.store);
    });
  } finally {
    await command(['umount', world.store]);
  }
});

test('a store that may only be read', { skip: needs('root', 'run', 'mount') }, async () => {
  await using world = await createWorld();
  await world.base();
  await command(['mount', '--bind', world.store, world.store]);
  await command(['mount', '-o', 'remount,bind,ro', world.store]);
  try {
    assert.match(await world.ok('images'), /base/);
    assert.match(await world.ok('inspect', 'base'), /sha256:/);
    await world.ok('save', '-o', join(world.folder, 'out.tar'), 'base');
    const context = world.context({ Dockerfile: 'FROM base\nCOPY a /\n', a: '' });
    for (const args of [['build', context], ['tag', 'base', 'other'], ['rmi', 'base'], ['prune', '-f']]) assertFault(await world.run(args), [/can only be read|read-only/, new RegExp(world.store)]);
  } finally {
    await command(['umount', world.store]);
  }
});

test('a folder that may not become a store', { skip: process.getuid?.() === 0 ? needs('setpriv') : false }, async () => {
  await using world = await createWorld();
  const closed = join(world.folder, 'closed');
  mkdirSync(closed, { mode: 0o755 });
  chmodSync(world.folder, 0o755);
  if (process.getuid?.() !== 0) chmodSync(closed, 0o555);
  const outcome = await world.run(['images'], { store: join(closed, 'store'), ...(process.getuid?.() === 0 ? { as: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] } : {}) });
  assertFault(outcome, [new RegExp(closed)]);
});

test('no runtime', { skip: needs('root', 'run', 'unshare', 'mount') }, async () => {
  await using world = await createWorld();
  await world.base();
  const programs = ['runc', 'crun'].map(findProgram).filter((path) => path !== undefined);
  // In a mount namespace of their own they are no programs.
  const as = ['unshare', '--mount', 'sh', '-c', `${programs.map((path) => `mount --bind /dev/null ${path}`).join(' && ')} && exec "$@"`, 'sh'];
  const without = await world.run(['build', '-q', '-t', 'copied', world.context({ Dockerfile: 'FROM base\nWORKDIR /w\nCOPY a .\n', a: 'a' })], { as });
  assert.equal(without.code, 0, without.stderr);
  const context = world.context({ Dockerfile: 'FROM base\nRUN true\n' });
  assertFault(await unchanged(world, () => world.run(['build', context], { as })), [/runc/, /Dockerfile:2/, /^hint: .*(?:install|runc|siru info)/m]);
  const ran = await world.run(['run', '--rm', 'base', 'true'], { as });
  assert.equal(ran.code, 125);
  assertFriendly(ran);
  const info = await world.run(['info'], { as });
  assert.equal(info.code, 0, info.stderr);
  assert.match(info.stdout, /runc/);
});

test('Ctrl-C', { skip: needs('run') }, async (t) => {
  await using world = await createWorld();
  await world.base();
  const interrupt = async (t: TestContext, args: string[], seen: RegExp, signal: NodeJS.Signals, code: number): Promise<Outcome> => {
    const { child, ended } = world.start(args);
    await new Promise<void>((resolve, reject) => {
      const look = (chunk: Buffer): void => {
        if (seen.test(chunk.toString())) resolve();
      };
      child.stdout!.on('data', look);
      child.stderr!.on('data', look);
      child.once('close', () => reject(new Error('it ended too early')));
    });
    const asked = Date.now();
    child.kill(signal);
    const outcome = await ended;
    const took = Date.now() - asked;
    t.diagnostic(`ended after ${took} ms`);
    assert.equal(outcome.code, code, outcome.stderr);
    await settled(world.folder);
    await world.ok('images');
    assert.deepEqual(temporaryFiles(world.store), []);
    return outcome;
  };
  const context = world.context({ Dockerfile: 'FROM base\nRUN echo first > /first\nRUN trap "" INT TERM; echo now sleeping; sleep 60; sleep 60\n' });
  await t.test('during RUN', async (t) => {
    await interrupt(t, ['build', '--progress=plain', context], /^.*(?<!echo )now sleeping$/m, 'SIGINT', 130);
    const again = world.start(['build', '--progress=json', context]);
    await new Promise<void>((resolve) => again.child.stdout!.on('data', (chunk: Buffer) => /now sleeping/.test(chunk.toString()) && resolve()));
    again.child.kill('SIGINT');
    const { stdout } = await again.ended;
    assert.match(stdout, /"status":"cached"[^\n]*first|first[^\n]*"status":"cached"/);
  });
  await t.test('termination during RUN', (t) => interrupt(t, ['build', '--progress=plain', context], /^.*(?<!echo )now sleeping$/m, 'SIGTERM', 143).then(() => {}));
  await t.test('during a pull', async (t) => {
    await using server = await serve((request, response) => {
      if (request.url === '/v2/') response.end('{}');
      else if (request.url!.includes('/manifests/')) {
        const digest = `sha256:${'1'.repeat(64)}`;
        response.writeHead(200, { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }).end(JSON.stringify({
          schemaVersion: 2, config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: 10_000 }, layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: digest.replaceAll('1', '2').replace('sha256', 'sha256'), size: 1e9 }],
        }));
      } else response.writeHead(200, { 'content-length': '10000' }).write('x');
    });
    await interrupt(t, ['pull', `${server.host}/slow:1`], /Pulling/, 'SIGINT', 130);
  });
});

function assertFault(outcome: Outcome, says: readonly RegExp[]): void {
  assert.notEqual(outcome.code, 0, `it did not fail: ${outcome.stdout}${outcome.stderr}`);
  assert.notEqual(outcome.code, null, `ended by ${outcome.signal}`);
  assertFriendly(outcome);
  for (const pattern of says) assert.match(outcome.stderr, pattern);
}

