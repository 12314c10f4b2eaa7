import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import { applyChanges } from './change.ts';
import { importImage } from './import.ts';
import { readImage } from './read.ts';
import { temporaryStore } from './testing/temporary-store.ts';

const quiet = contextOf();

test('a root file system becomes an image of one layer, with changes', async () => {
  await using here = await temporaryStore();
  const root = join(here.folder, 'root');
  mkdirSync(join(root, 'etc'), { recursive: true });
  writeFileSync(join(root, 'etc', 'motd'), 'hello');
  for (const flag of ['-cf', '-czf']) {
    const file = join(here.folder, `rootfs${flag}.tar`);
    execFileSync('tar', ['-C', root, flag, file, '.']);
    const image = await importImage({ store: here.store, source: file, name: 'root:1', changes: ['CMD ["/bin/sh"]', 'ENV A=1 B="two words"'], message: 'mine', created: new Date(0) }, quiet);
    const { config, layers } = readImage(here.store, image);
    assert.deepEqual(image.names, ['docker.io/library/root:1']);
    assert.deepEqual(config.config, { Cmd: ['/bin/sh'], Env: ['A=1', 'B=two words'] });
    assert.deepEqual(config.history, [{ created: '1970-01-01T00:00:00.000Z', comment: 'mine' }]);
    assert.equal(here.store.layers.toc(layers[0]!.diffId).lookup('etc/motd')?.size, 5);
  }
});

test('equal tars give equal images, whatever they are called, as old as their newest file', async () => {
  await using here = await temporaryStore();
  const root = join(here.folder, 'root');
  mkdirSync(root);
  writeFileSync(join(root, 'a'), 'hello');
  utimesSync(join(root, 'a'), 1_600_000_000, 1_600_000_000);
  utimesSync(root, 1_500_000_000, 1_500_000_000);
  const images = [];
  for (const name of ['one.tar', 'two.tar']) {
    execFileSync('tar', ['-C', root, '-cf', join(here.folder, name), '.']);
    images.push(await importImage({ store: here.store, source: join(here.folder, name) }, quiet));
  }
  assert.equal(images[0]!.imageId, images[1]!.imageId);
  assert.deepEqual(readImage(here.store, images[0]!).config.history, [{ created: '2020-09-13T12:26:40.000Z', comment: 'Imported from -' }]);
});

test('what is no tar, or leaves the root, is refused', async () => {
  await using here = await temporaryStore();
  const file = join(here.folder, 'x');
  writeFileSync(file, 'no tar');
  await assert.rejects(importImage({ store: here.store, source: file }, quiet), { code: 'LAYER' });
  execFileSync('tar', ['-C', here.folder, '-cPf', `${file}.tar`, '--transform', 's,^,../../,', 'x']);
  await assert.rejects(importImage({ store: here.store, source: `${file}.tar` }, quiet), { code: 'LAYER' });
  assert.deepEqual(here.store.images.list(), []);
});

test('changes are carried out in order, each on what the others left', () => {
  assert.deepEqual(applyChanges({ Env: ['PATH=/bin'] }, [
    'ENV PATH=$PATH:/opt X=1', 'EXPOSE 80 53/udp 8000-8001', 'LABEL a=b c="d e"', 'USER me', 'WORKDIR /a', 'WORKDIR b/../c', 'VOLUME /data',
    'ENTRYPOINT run it', 'CMD ["x"]', 'ONBUILD RUN true', 'STOPSIGNAL SIGINT', 'HEALTHCHECK NONE',
  ]), {
    Env: ['PATH=/bin:/opt', 'X=1'],
    ExposedPorts: { '80/tcp': {}, '53/udp': {}, '8000/tcp': {}, '8001/tcp': {} },
    Labels: { a: 'b', c: 'd e' }, User: 'me', WorkingDir: '/a/c', Volumes: { '/data': {} },
    Entrypoint: ['/bin/sh', '-c', 'run it'], Cmd: ['x'], OnBuild: ['RUN true'], StopSignal: 'SIGINT', Healthcheck: { Test: ['NONE'] },
  });
  assert.throws(() => applyChanges({}, ['RUN true']), { code: 'USAGE', message: /RUN/ });
  assert.throws(() => applyChanges({}, ['FROM x']), { code: 'USAGE', message: /FROM/ });
  assert.throws(() => applyChanges({}, ['CMMD x']), { code: 'DOCKERFILE' });
  assert.throws(() => applyChanges({}, ['EXPOSE 99999']), { code: 'DOCKERFILE' });
});
