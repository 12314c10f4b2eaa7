/**
 * Images that cases stand on, made by code from this machine's busybox, equal for the recorder and for Siru.
 * None has a layer that a case compares: expected results do not depend on the version of busybox.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Entry } from '../../src/layer/entry.ts';
import { createLayerWriter } from '../../src/layer/writer.ts';
import { findProgram } from '../support/missing.ts';
import { rawTar } from '../support/tar.ts';
import { fixedTime } from './files.ts';
import { standIns } from './stand-ins.ts';

const baseNames = ['base/busybox', 'base/bare', 'base/onbuild', 'base/withconfig', 'base/users', 'base/tree', 'base/arm64'] as const;
type BaseName = (typeof baseNames)[number];

/** The images that cases of these folders stand on. */
export function basesFor(folders: Iterable<string>): string[] {
  return [...baseNames, ...([...folders].includes('examples') ? Object.keys(standIns) : [])];
}

/** What `docker save` writes. */
export interface BaseArchive {
  name: string;
  imageId: string;
  diffIds: string[];
  bytes: Buffer;
}

export type Tree = Record<string, string | Buffer | undefined | (Partial<Entry> & { text?: string })>;

export function makeBase(name: string): BaseArchive {
  const { layers, config = {}, architecture = 'amd64', author } = define(name);
  const tars = layers.map(layerTar);
  const diffIds = tars.map((tar) => `sha256:${sha256(tar)}`);
  const created = '2023-11-14T22:13:20Z';
  const document = Buffer.from(JSON.stringify({
    architecture,
    ...(author === undefined ? {} : { author }),
    config,
    created,
    history: [
      ...layers.map((_, at) => ({ created, created_by: `layer ${at} of ${name}` })),
      ...(Object.keys(config).length > 0 ? [{ created, created_by: `config of ${name}`, empty_layer: true }] : []),
    ],
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: diffIds },
  }));
  const imageId = sha256(document);
  const manifest = [{ Config: `${imageId}.json`, RepoTags: [name.includes(':') ? name : `${name}:latest`], Layers: tars.map((_, at) => `${at}/layer.tar`) }];
  const bytes = rawTar([
    { name: `${imageId}.json`, text: document },
    ...tars.flatMap((tar, at) => [{ name: `${at}/`, type: '5' as const }, { name: `${at}/layer.tar`, text: tar }]),
    { name: 'manifest.json', text: JSON.stringify(manifest) },
  ]);
  return { name, imageId: `sha256:${imageId}`, diffIds, bytes };
}

function define(name: string): Definition {
  const standIn = standIns[name];
  if (standIn) return { layers: [everyday(), standIn.files], ...(standIn.config && { config: standIn.config }) };
  return definitions[name as BaseName]();
}

interface Definition {
  layers: Tree[];
  config?: object;
  architecture?: string;
  author?: string;
}

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const definitions: Record<BaseName, () => Definition> = {
  /** An everyday root file system with all mount points, as busybox on Docker Hub has it. */
  'base/busybox': () => ({ layers: [everyday()], config: { Env: [path], Cmd: ['sh'] } }),
  /** Nothing but programs: no /etc, /proc, /dev, /sys, /tmp; no config at all. */
  'base/bare': () => ({ layers: [programs()] }),
  'base/onbuild': () => ({
    layers: [everyday()],
    config: { Env: [path], Cmd: ['sh'], OnBuild: ['ENV TRIGGERED=yes', 'COPY . /app/', 'RUN echo "$TRIGGERED" > /triggered', 'WORKDIR /app'] },
  }),
  'base/withconfig': () => ({
    layers: [everyday(), { 'srv/app/': '', 'srv/app/file': 'from the base\n', 'etc/motd': 'hello\n' }],
    author: 'Somebody Else <else@example.com>',
    config: {
      Hostname: '', Domainname: '', User: 'app', ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
      Env: [path, 'BASE=one', 'EMPTY=', 'LANG=C.UTF-8'], Cmd: ['serve', '--all'], Entrypoint: ['/entry', '-x'],
      Volumes: { '/data': {} }, WorkingDir: '/srv/app', Labels: { maintainer: 'base', 'org.example.kind': 'stand-in' }, StopSignal: 'SIGQUIT',
      Healthcheck: { Test: ['CMD-SHELL', 'true'], Interval: 30_000_000_000, Timeout: 5_000_000_000, Retries: 3 }, Shell: ['/bin/ash', '-ec'],
    },
  }),
  /** Users, groups and lines that are no users. */
  'base/users': () => ({
    layers: [{
      ...everyday(),
      'etc/passwd': [
        'root:x:0:0:root:/root:/bin/sh', 'app:x:1000:1001:App:/home/app:/bin/sh', 'other:x:1002:100::/:', 'nogroup:x:1003:4242::/:', '', '# comment:x:1:1::/:',
        'broken', 'short:x:77', 'negative:x:-1:5::/:', 'app:x:2000:2001:again:/:/bin/sh', '4000:x:4001:4002:digits:/:', 'dash-ed.user_1:x:1005:1005::/:',
      ].join('\n') + '\n',
      'etc/group': 'root:x:0:\napp:x:1001:\nstaff:x:50:app,other\nusers:x:100:\nextra:x:2500:app\n5000:x:5001:\nbroken\n\nwheel:x:10:root,app\n',
    }],
    config: { Env: [path], Cmd: ['sh'] },
  }),
  /** For copying: owners, modes, links, in two layers with whiteouts. */
  'base/tree': () => ({
    layers: [
      {
        ...everyday(),
        'tree/': '', 'tree/file': 'one\n', 'tree/owned': { text: 'owned\n', uid: 1000, gid: 50, mode: 0o640 }, 'tree/suid': { text: 'suid\n', mode: 0o4755 },
        'tree/dir/': { type: 'dir', mode: 0o2770, uid: 1000, gid: 50 }, 'tree/dir/inner': { text: 'inner\n', uid: 7, gid: 8, mode: 0o600 },
        'tree/empty/': '', 'tree/gone': 'gone\n', 'tree/gone-dir/': '', 'tree/gone-dir/file': 'gone\n',
        'tree/link': { type: 'symlink', mode: 0o777, link: 'file' }, 'tree/dirlink': { type: 'symlink', mode: 0o777, link: 'dir' },
        'tree/abslink': { type: 'symlink', mode: 0o777, link: '/tree/dir' }, 'tree/dangling': { type: 'symlink', mode: 0o777, link: 'nowhere' },
        'tree/zhard': { type: 'hardlink', link: 'tree/file' }, 'tree/fifo': { type: 'fifo', mode: 0o644 },
        'linked': { type: 'symlink', mode: 0o777, link: 'tree/dir' },
      },
      { 'tree/': '', 'tree/.wh.gone': '', 'tree/.wh.gone-dir': '', 'tree/late': 'late\n' },
    ],
    config: { Env: [path], Cmd: ['sh'] },
  }),
  /** For another processor; nothing in it can run here. */
  'base/arm64': () => ({ layers: [{ 'etc/': '', 'etc/arch': 'arm64\n' }], architecture: 'arm64', config: { Env: [path] } }),
};

function programs(): Tree {
  const file = findProgram('busybox')!;
  const applets = execFileSync(file, ['--list'], { encoding: 'utf8' }).split('\n').filter((name) => /^[a-z0-9[_-]+$/.test(name) && name !== 'busybox');
  const tree: Tree = { 'bin/': '', 'bin/busybox': { type: 'file', mode: 0o755 } };
  for (const applet of applets) tree[`bin/${applet}`] = { type: 'symlink', mode: 0o777, link: 'busybox' };
  return tree;
}

function everyday(): Tree {
  return {
    ...programs(),
    'dev/': '', 'etc/': '', 'home/': '', 'lib/': '', 'proc/': '', 'sys/': '', 'usr/': '', 'usr/bin/': '', 'usr/sbin/': '', 'var/': '', 'var/spool/': '', 'var/www/': '',
    'root/': { type: 'dir', mode: 0o700 }, 'tmp/': { type: 'dir', mode: 0o1777 },
    'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\napp:x:1000:1001:App:/home/app:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
    'etc/group': 'root:x:0:\ndaemon:x:1:\nstaff:x:50:app\napp:x:1001:\nnobody:x:65534:\n',
    'etc/hosts': '127.0.0.1 localhost\n', 'etc/resolv.conf': '', 'etc/hostname': 'base\n', 'home/app/': { type: 'dir', mode: 0o700, uid: 1000, gid: 1001 },
    'usr/bin/env': { type: 'symlink', mode: 0o777, link: '../../bin/busybox' },
  };
}

function layerTar(tree: Tree): Buffer {
  const chunks: Buffer[] = [];
  const writer = createLayerWriter({ write: (bytes) => void chunks.push(Buffer.from(bytes)) });
  const clean = Object.entries(tree).map(([key, value]) => [key.replace(/\/$/, ''), key, value] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, key, value] of clean) {
    const { text, ...rest }: Partial<Entry> & { text?: string | Buffer } = typeof value === 'string' || Buffer.isBuffer(value) ? { text: value } : (value ?? {});
    const whiteout = /^(.*\/)\.wh\.(.*)$/.exec(name);
    const type = rest.type ?? (whiteout ? 'whiteout' : key.endsWith('/') ? 'dir' : 'file');
    const bytes = type !== 'file' ? undefined : name === 'bin/busybox' ? readFileSync(findProgram('busybox')!) : Buffer.from(text ?? '');
    const entry: Entry = { mode: type === 'dir' ? 0o755 : 0o644, uid: 0, gid: 0, mtime: fixedTime, ...rest, path: whiteout ? whiteout[1]! + whiteout[2]! : name, type, size: bytes?.length ?? 0 };
    writer.add(entry, bytes && { bytes });
  }
  writer.finish();
  return Buffer.concat(chunks);
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
