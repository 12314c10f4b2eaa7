/**
 * What Siru writes is read by others, and what others write is read by Siru. A docker daemon takes part when
 * SIRU_TEST_DOCKER says how to call docker (`docker`, or any words before its arguments); SIRU_TEST_SHARE then names a
 * folder that has the same path for the daemon's client.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from './support/missing.ts';
import { registryMissing, startRegistry } from './support/registry.ts';
import { command } from './support/siru.ts';
import { verifyBlobs } from './support/store-state.ts';
import { standIn } from './support/stand-ins.ts';
import { createWorld } from './support/world.ts';
import type { World } from './support/world.ts';

const policy = '--insecure-policy';

/** An image with what distinguishes images: modes, owners, links, whiteouts, an opaque folder, long names, all of the configuration. */
const dockerfile = `FROM base
WORKDIR /work/dir
RUN mkdir -p /d/e && echo old > /d/e/old && touch /gone && chown 12:34 /d && chmod 4711 /d/e/old && ln /d/e/old /d/hard && ln -s ../etc /d/soft && mkfifo /d/fifo
RUN rm /gone && rm -r /d/e && mkdir /d/e && echo new > /d/e/new
COPY --chown=5:6 files /files/
ENV A=b C="d e"
LABEL one=1 two="2 3"
EXPOSE 80/tcp 53/udp
VOLUME /data
USER 12:34
STOPSIGNAL SIGINT
HEALTHCHECK --interval=5s CMD true
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["ls"]
`;
const long = `${'long-name-'.repeat(20)}.txt`;

async function buildSample(): Promise<World> {
  const world = await createWorld();
  try {
    await build(world);
    return world;
  } catch (error) {
    await world[Symbol.asyncDispose]();
    throw error;
  }
}

async function build(world: World): Promise<void> {
  await world.base();
  const context = world.context({ Dockerfile: dockerfile, 'files/a': 'a', [`files/${long}`]: 'long', 'files/ü ñ': 'utf-8', 'files/run': { text: '#!/bin/sh\n', mode: 0o755 }, 'files/link': { link: 'a' } });
  await world.ok('build', '-t', 'sample:1', context);
}

interface SkopeoConfig { config: Record<string, unknown>; rootfs: { diff_ids: string[] } }

async function skopeoConfig(source: string, ...flags: string[]): Promise<SkopeoConfig> {
  return JSON.parse(await command(['skopeo', policy, 'inspect', '--config', '--raw', ...flags, source])) as SkopeoConfig;
}

const skip = needs('run', 'skopeo', 'umoci');

test('others read what siru wrote', { skip }, async (t) => {
  await using world = await buildSample();
  const image = await world.inspect('sample:1');
  const expect = (config: SkopeoConfig): void => {
    assert.deepEqual(config.rootfs.diff_ids, image.RootFS.Layers);
    const { Env, Labels, Entrypoint, Cmd, User, WorkingDir, StopSignal, ExposedPorts, Volumes } = config.config;
    assert.deepEqual(Env, image.Config.Env);
    assert.deepEqual(Labels, { one: '1', two: '2 3' });
    assert.deepEqual([Entrypoint, Cmd, User, WorkingDir, StopSignal], [['/bin/sh', '-c'], ['ls'], '12:34', '/work/dir', 'SIGINT']);
    assert.deepEqual([ExposedPorts, Volumes], [{ '80/tcp': {}, '53/udp': {} }, { '/data': {} }]);
  };
  const store = `oci:${world.store}:docker.io/library/sample:1`;
  const out = (name: string): string => join(world.folder, name);

  await t.test('skopeo: the store itself is an OCI layout', async () => {
    expect(await skopeoConfig(store));
    await command(['skopeo', policy, 'copy', '-q', '--preserve-digests', store, `dir:${out('from-store')}`]);
    assert.equal(sha256(readFileSync(out('from-store/manifest.json'))), image.Descriptor.digest);
  });

  await t.test('umoci: unpacks the image from a copy of the layout', { skip: needs('root') }, async () => {
    await command(['skopeo', policy, 'copy', '-q', store, `oci:${out('layout')}:sample`]);
    await command(['umoci', 'unpack', '--image', `${out('layout')}:sample`, out('bundle')]);
    const listed = await command(['sh', '-c', `find d files -printf '%p %y %m %U:%G %l\\n' | LC_ALL=C sort`], { cwd: out('bundle/rootfs') });
    assert.equal(listed, await listing(world, 'sample:1'));
    assert.ok(!existsSync(out('bundle/rootfs/gone')) && !existsSync(out('bundle/rootfs/d/e/old')));
    assert.match(await command(['umoci', 'stat', '--image', `${out('layout')}:sample`]), /COPY --chown=5:6 files \/files\//);
  });

  await t.test('umoci: opens the store itself', async () => {
    assert.match(await command(['umoci', 'list', '--layout', world.store]), /sample/);
  });

  await t.test('skopeo: a saved archive, as docker archive and as OCI archive', async () => {
    await world.ok('save', '-o', out('saved.tar'), 'sample:1');
    expect(await skopeoConfig(`docker-archive:${out('saved.tar')}`));
    expect(await skopeoConfig(`oci-archive:${out('saved.tar')}`));
    assert.equal(sha256(await command(['skopeo', policy, 'inspect', '--config', '--raw', `docker-archive:${out('saved.tar')}`])), image.Id);
  });

  await t.test('skopeo: a registry that siru pushed to', { skip: registryMissing() }, async () => {
    await using registry = await startRegistry();
    const name = `${registry.host}/group/sample:1`;
    await world.ok('tag', 'sample:1', name);
    await world.ok('push', name);
    expect(await skopeoConfig(`docker://${name}`, '--tls-verify=false'));
    await command(['skopeo', policy, 'copy', '-q', '--src-tls-verify=false', `docker://${name}`, `oci:${out('pulled')}:x`]);
    const raw = await command(['skopeo', policy, 'inspect', '--raw', '--tls-verify=false', `docker://${name}`]);
    for (const { mediaType } of (JSON.parse(raw) as { layers: { mediaType: string }[] }).layers) assert.match(mediaType, /\+gzip$/);
  });

  await t.test('buildah: pulls the saved archive', { skip: needs('root', 'buildah') }, async () => {
    const storage = ['--root', out('containers'), '--runroot', out('containers-run'), '--storage-driver', 'vfs'];
    await world.ok('save', '-o', out('for-buildah.tar'), 'sample:1');
    const id = (await command(['buildah', ...storage, 'pull', '-q', `docker-archive:${out('for-buildah.tar')}`])).trim();
    assert.equal(`sha256:${id}`, image.Id);
  });
});

test('siru reads what others wrote', { skip }, async (t) => {
  await using world = await createWorld();
  const layout = await standIn('alpine:latest');
  const config = await skopeoConfig(`oci:${layout}:latest`);
  const id = sha256(await command(['skopeo', policy, 'inspect', '--config', '--raw', `oci:${layout}:latest`]));
  const out = (name: string): string => join(world.folder, name);
  const works = async (name: string): Promise<void> => {
    const image = await world.inspect(name);
    assert.equal(image.Id, id);
    assert.deepEqual(image.RootFS.Layers, config.rootfs.diff_ids);
    assert.equal(await world.ok('run', '--rm', name, 'sh', '-c', 'echo works'), 'works\n');
    await world.ok('rmi', name);
    await world.ok('prune', '-f');
  };

  await t.test('a docker archive of skopeo', async () => {
    await command(['skopeo', policy, 'copy', '-q', `oci:${layout}:latest`, `docker-archive:${out('docker.tar')}:alpine:docker`]);
    assert.match(await world.ok('load', '-i', out('docker.tar')), /alpine:docker/);
    await works('alpine:docker');
  });
  await t.test('an OCI archive of skopeo, compressed, from standard input', async () => {
    await command(['skopeo', policy, 'copy', '-q', `oci:${layout}:latest`, `oci-archive:${out('oci.tar')}:alpine:oci`]);
    await command(['gzip', '-1', out('oci.tar')]);
    const outcome = await world.run(['load'], { input: readFileSync(out('oci.tar.gz')) });
    assert.equal(outcome.code, 0, outcome.stderr);
    assert.match(outcome.stdout, /alpine:oci/);
    await works('alpine:oci');
  });
  await t.test('an OCI layout in a tar of GNU tar', async () => {
    await command(['skopeo', policy, 'copy', '-q', '--dest-oci-accept-uncompressed-layers', `oci:${layout}:latest`, `oci:${out('plain')}:alpine:plain`]);
    await command(['tar', '-C', out('plain'), '-cf', out('plain.tar'), '.']);
    await world.ok('load', '-i', out('plain.tar'));
    await works('alpine:plain');
  });
  await t.test('a registry that skopeo wrote to: gzip, zstd, docker schema 2', { skip: registryMissing() }, async () => {
    await using registry = await startRegistry();
    for (const [tag, ...flags] of [['gzip'], ['zstd', '--dest-compress-format', 'zstd'], ['schema2', '--format', 'v2s2']] as [string, ...string[]][]) {
      const name = `${registry.host}/library/alpine:${tag}`;
      await command(['skopeo', policy, 'copy', '-q', '--dest-tls-verify=false', ...flags, `oci:${layout}:latest`, `docker://${name}`]);
      await world.ok('pull', name);
      const image = await world.inspect(name);
      assert.deepEqual(image.RootFS.Layers, config.rootfs.diff_ids);
      assert.equal(await world.ok('run', '--rm', name, 'echo', tag), `${tag}\n`);
      await world.ok('rmi', name);
      await world.ok('prune', '-f');
    }
  });
  await t.test('an image that umoci changed', { skip: needs('root') }, async () => {
    await command(['cp', '-r', layout, out('umoci')]);
    mkdirSync(out('extra'));
    await command(['sh', '-c', 'echo from umoci > extra/file'], { cwd: world.folder });
    await command(['umoci', 'insert', '--image', `${out('umoci')}:latest`, out('extra'), '/extra']);
    await command(['umoci', 'config', '--image', `${out('umoci')}:latest`, '--config.env', 'A=umoci', '--config.workingdir', '/extra']);
    await command(['skopeo', policy, 'copy', '-q', `oci:${out('umoci')}:latest`, `oci-archive:${out('umoci.tar')}:alpine:umoci`]);
    await world.ok('load', '-i', out('umoci.tar'));
    assert.equal(await world.ok('run', '--rm', 'alpine:umoci', 'sh', '-c', 'cat file; echo $A'), 'from umoci\numoci\n');
  });
  await t.test('images that buildah built and pushed', { skip: needs('root', 'buildah') }, async () => {
    const storage = ['--root', out('containers'), '--runroot', out('containers-run'), '--storage-driver', 'vfs'];
    const context = world.context({ Dockerfile: 'FROM scratch\nCOPY a /a\nCOPY b /b\nENV B=buildah\nCMD ["/a"]\n', a: 'a', b: 'b' });
    await command(['buildah', ...storage, 'bud', '-q', '--layers', '--isolation', 'chroot', '-t', 'built', context]);
    for (const format of ['docker-archive', 'oci-archive']) {
      const file = out(`buildah-${format}.tar`);
      await command(['buildah', ...storage, 'push', '-q', 'built', `${format}:${file}:buildah:${format}`]);
      await world.ok('load', '-i', file);
      const image = await world.inspect(`buildah:${format}`);
      const theirs = await skopeoConfig(`${format}:${file}`);
      assert.deepEqual(image.RootFS.Layers, theirs.rootfs.diff_ids);
      assert.deepEqual(image.Config.Cmd, ['/a']);
      await world.ok('build', '-q', world.context({ Dockerfile: `FROM scratch\nCOPY --from=buildah:${format} /b /c\n` }));
    }
  });
  verifyBlobs(world.store);
});

const docker = (process.env.SIRU_TEST_DOCKER ?? '').split(' ').filter((word) => word !== '');
const noDocker = docker.length === 0 ? 'SIRU_TEST_DOCKER does not say how to call docker' : false;

test('docker reads and writes the same images', { skip: skip || noDocker }, async (t) => {
  await using world = await buildSample();
  const image = await world.inspect('sample:1');
  const share = mkdtempSync(join(process.env.SIRU_TEST_SHARE ?? world.folder, 'siru-test-'));
  const names = new Set<string>();
  try {
    await t.test('docker load reads what siru saved', async () => {
      await world.ok('tag', 'sample:1', 'siru-test-sample:1');
      await world.ok('save', '-o', join(share, 'saved.tar'), 'siru-test-sample:1');
      names.add('siru-test-sample:1');
      assert.match(await command([...docker, 'load', '-i', join(share, 'saved.tar')]), /siru-test-sample:1/);
      const [theirs] = JSON.parse(await command([...docker, 'image', 'inspect', 'siru-test-sample:1'])) as { Id: string; RootFS: { Layers: string[] }; Config: Record<string, unknown> }[];
      assert.equal(theirs!.Id, image.Id);
      assert.deepEqual(theirs!.RootFS.Layers, image.RootFS.Layers);
      for (const member of ['Env', 'Labels', 'Entrypoint', 'Cmd', 'User', 'WorkingDir', 'StopSignal', 'ExposedPorts', 'Volumes', 'Healthcheck']) {
        assert.deepEqual(theirs!.Config[member], image.Config[member as 'Env'], member);
      }
    });
    await t.test('siru load reads what docker saved', async () => {
      await command([...docker, 'save', '-o', join(share, 'docker.tar'), 'siru-test-sample:1']);
      await using other = await createWorld();
      await other.ok('load', '-i', join(share, 'docker.tar'));
      const loaded = await other.inspect('siru-test-sample:1');
      assert.equal(loaded.Id, image.Id);
      assert.deepEqual(loaded.RootFS.Layers, image.RootFS.Layers);
      assert.equal(await listing(other, 'siru-test-sample:1'), await listing(world, 'sample:1'));
    });
    await t.test('siru reads and runs what docker built', async () => {
      await world.ok('tag', 'base', 'siru-test-base:1');
      await world.ok('save', '-o', join(share, 'base.tar'), 'siru-test-base:1');
      await command([...docker, 'load', '-i', join(share, 'base.tar')]);
      names.add('siru-test-base:1');
      mkdirSync(join(share, 'context'));
      await command(['sh', '-c', `printf 'FROM siru-test-base:1\nCOPY Dockerfile /x/\nRUN echo built by docker > /y; rm /etc/group\nENV D=docker\nCMD ["cat", "/y"]\n' > context/Dockerfile`], { cwd: share });
      await command([...docker, 'build', '--network', 'host', '-t', 'siru-test-built:1', join(share, 'context')], { env: { ...process.env, BUILDX_NO_DEFAULT_ATTESTATIONS: '1' } });
      names.add('siru-test-built:1');
      await command([...docker, 'save', '-o', join(share, 'built.tar'), 'siru-test-built:1']);
      await world.ok('load', '-i', join(share, 'built.tar'));
      assert.equal(await world.ok('run', '--rm', 'siru-test-built:1'), 'built by docker\n');
      assert.equal(await world.ok('run', '--rm', 'siru-test-built:1', 'sh', '-c', 'ls /x /etc/group 2>/dev/null; echo $D'), '/x:\nDockerfile\ndocker\n');
    });
  } finally {
    if (names.size > 0) await command([...docker, 'rmi', '-f', ...names]).catch(() => {});
    rmSync(share, { recursive: true, force: true });
  }
});

/** What a container of the image sees of the sample's files. */
async function listing(world: World, image: string): Promise<string> {
  const script = `cd / && find d files | sort | while read -r f; do t=$(stat -c %F "$f"); case $t in "symbolic link") echo "$f l 777 $(stat -c %u:%g "$f") $(readlink "$f")";; directory) echo "$f d $(stat -c '%a %u:%g' "$f") ";; fifo) echo "$f p $(stat -c '%a %u:%g' "$f") ";; *) echo "$f f $(stat -c '%a %u:%g' "$f") ";; esac; done`;
  return world.ok('run', '--rm', '--user', '0', '--entrypoint', '', image, 'sh', '-c', script);
}

function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

