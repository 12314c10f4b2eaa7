/**
 * Images that stand in for some of Docker Hub, where that cannot be reached: `ubuntu` and `golang` are Debian roots made
 * with this machine's own apt sources, `alpine` is busybox. They are OCI layouts that are made once and kept in the
 * folder of temporary files, then pushed to a registry of the test as `library/<name>:<tag>`.
 */
import { createHash } from 'node:crypto';
import { cpSync, createReadStream, createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { findProgram, needs } from './missing.ts';
import { command } from './siru.ts';

export type StandIn = 'ubuntu:20.04' | 'golang:1.18' | 'alpine:latest';

const version = 1; // of what is below: another number makes them anew
const home = join(tmpdir(), 'siru-test-stand-ins', `v${version}`);

/** Why they cannot be made here, or false. */
export function standInsMissing(...names: StandIn[]): string | false {
  const debian = names.some((name) => name !== 'alpine:latest');
  return needs('skopeo', 'tar', 'busybox', ...(debian ? ['root', 'mmdebstrap', 'chroot'] : []));
}

/** Pushes them to the registry at `host`, so that it can be a mirror of docker.io. Makes what is not there yet. */
export async function pushStandIns(host: string, names: readonly StandIn[]): Promise<void> {
  for (const name of names) {
    const layout = await standIn(name);
    await command(['skopeo', '--insecure-policy', 'copy', '-q', '--preserve-digests', '--dest-tls-verify=false', `oci:${layout}:latest`, `docker://${host}/library/${name}`]);
  }
}

/** Folder of an OCI layout whose one image is tagged `latest`. */
export async function standIn(name: StandIn): Promise<string> {
  const layout = join(home, name.replace(':', '-'));
  if (existsSync(join(layout, 'index.json'))) return layout;
  mkdirSync(home, { recursive: true });
  const work = mkdtempSync(join(home, '.making-'));
  try {
    const root = join(work, 'root');
    const made = join(work, 'layout');
    await { 'ubuntu:20.04': makeUbuntu, 'golang:1.18': makeGolang, 'alpine:latest': makeAlpine }[name](root);
    await writeLayout(made, root, work, environments[name]);
    rmSync(layout, { recursive: true, force: true });
    renameSync(made, layout);
  } catch (error) {
    // Another process may have been quicker.
    if (!existsSync(join(layout, 'index.json'))) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return layout;
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const environments: Record<StandIn, object> = {
  'ubuntu:20.04': { Env: [path], Cmd: ['bash'] },
  'golang:1.18': { Env: ['PATH=/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'GOPATH=/go'], Cmd: ['bash'], WorkingDir: '/go' },
  'alpine:latest': { Env: [path], Cmd: ['/bin/sh'] },
};

async function makeUbuntu(root: string): Promise<void> {
  const sources = aptSources();
  const suite = /^Suites:\s*(\S+)|^deb\s+(?:\[[^\]]*\]\s*)?\S+\s+(\S+)/m.exec(readFileSync(sources[0]!, 'utf8'));
  if (!suite) throw new Error(`no suite found in ${sources[0]}`);
  await command([
    'mmdebstrap', '--variant=apt', '--mode=root', '--format=directory',
    // As in the images of Docker Hub, nothing that only documents.
    ...['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*', '/usr/share/info/*'].map((glob) => `--dpkgopt=path-exclude=${glob}`),
    (suite[1] ?? suite[2])!, root, ...sources,
  ], { timeout: 300_000 });
  // What apt needs to reach its mirror from here is needed inside too.
  for (const name of readdirSync('/etc/apt/apt.conf.d')) {
    const file = join('/etc/apt/apt.conf.d', name);
    if (/^\s*Acquire\b/m.test(readFileSync(file, 'utf8'))) cpSync(file, join(root, 'etc/apt/apt.conf.d', name));
  }
  for (const name of readdirSync(join(root, 'dev'))) rmSync(join(root, 'dev', name), { recursive: true });
  for (const name of ['etc/resolv.conf', 'etc/hostname', 'etc/machine-id']) rmSync(join(root, name), { force: true });
}

/** Files with apt's sources that name a host, the distribution's own first. */
function aptSources(): string[] {
  const folder = '/etc/apt/sources.list.d';
  const files = [...(existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []), '/etc/apt/sources.list']
    .filter((file) => /\.(?:list|sources)$/.test(file) && existsSync(file) && /^(?:URIs:|deb\s)/m.test(readFileSync(file, 'utf8')));
  const own = files.filter((file) => /(?:debian|ubuntu)\.(?:sources|list)$|sources\.list$/.test(file));
  if (own.length === 0) throw new Error('no apt sources of this distribution found');
  return own;
}

async function makeGolang(root: string): Promise<void> {
  const ubuntu = await standIn('ubuntu:20.04');
  mkdirSync(root);
  await command(['tar', '-C', root, '--numeric-owner', '-xpzf', layerOf(ubuntu)]);
  cpSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'), { dereference: true });
  await command(['cp', '-a', '/dev/null', join(root, 'dev/null')]);
  const inside = (...words: string[]): Promise<string> => command(['chroot', root, ...words], {
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', HOME: '/root' }, timeout: 300_000,
  });
  await inside('apt-get', '-qq', 'update');
  await inside('apt-get', '-qq', '-y', '--no-install-recommends', 'install', 'golang-go');
  await inside('sh', '-c', 'apt-get clean; rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /usr/share/go-*/test /usr/share/go-*/api /usr/lib/go-*/pkg/*/cmd');
  await inside('sh', '-c', 'mkdir -p /go/bin /go/src; find /usr/share/go-*/src -name testdata -type d -prune -exec rm -rf {} +; find /usr/share/go-*/src -name "*_test.go" -delete');
  for (const name of ['etc/resolv.conf', 'dev/null']) rmSync(join(root, name));
}

async function makeAlpine(root: string): Promise<void> {
  for (const folder of ['bin', 'etc', 'tmp', 'root', 'proc', 'sys', 'dev', 'usr/bin', 'var']) mkdirSync(join(root, folder), { recursive: true });
  const busybox = findProgram('busybox')!;
  cpSync(busybox, join(root, 'bin/busybox'), { dereference: true });
  for (const applet of (await command([busybox, '--list'])).split('\n')) {
    if (/^[a-z0-9[_-]+$/.test(applet) && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  }
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n');
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\n');
  await command(['chmod', '1777', join(root, 'tmp')]);
}

/** An OCI layout with one image of one gzip layer. */
async function writeLayout(layout: string, root: string, work: string, config: object): Promise<void> {
  const blobs = join(layout, 'blobs/sha256');
  mkdirSync(blobs, { recursive: true });
  const tar = join(work, 'layer.tar');
  const owner = process.getuid?.() === 0 ? [] : ['--owner=0', '--group=0'];
  await command(['tar', '-C', root, '--numeric-owner', ...owner, '--sort=name', '--mtime=@1700000000', '--xattrs', '-cf', tar, '.']);
  const zipped = join(work, 'layer.tar.gz');
  await pipeline(createReadStream(tar), createGzip({ level: 1 }), createWriteStream(zipped));
  const layer = await hashOf(zipped);
  const size = statSync(zipped).size;
  renameSync(zipped, join(blobs, layer));
  const put = (value: object): { digest: string; size: number } => {
    const bytes = Buffer.from(JSON.stringify(value));
    const hex = createHash('sha256').update(bytes).digest('hex');
    writeFileSync(join(blobs, hex), bytes);
    return { digest: `sha256:${hex}`, size: bytes.length };
  };
  const created = '2023-11-14T22:13:20Z';
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const configuration = put({
    created, architecture, os: 'linux', config, rootfs: { type: 'layers', diff_ids: [`sha256:${await hashOf(tar)}`] }, history: [{ created, created_by: 'stand-in' }],
  });
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = put({
    schemaVersion: 2, mediaType, config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...configuration },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: `sha256:${layer}`, size }],
  });
  writeFileSync(join(layout, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}');
  writeFileSync(join(layout, 'index.json'), JSON.stringify({
    schemaVersion: 2, manifests: [{ mediaType, ...manifest, annotations: { 'org.opencontainers.image.ref.name': 'latest' } }],
  }));
}

/** The file of a layout's only layer. */
function layerOf(layout: string): string {
  const read = (digest: string): { layers: { digest: string }[] } => JSON.parse(readFileSync(join(layout, 'blobs', digest.replace(':', '/')), 'utf8')) as never;
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as { manifests: { digest: string }[] };
  return join(layout, 'blobs', read(manifests[0]!.digest).layers[0]!.digest.replace(':', '/'));
}

async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
