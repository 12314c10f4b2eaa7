/**
 * The tools that are measured, behind one face: Siru, and the peers that this machine has. Peers are found by environment
 * variables, so that nothing of one machine stands here:
 *
 *   SIRU_BENCH_PEERS   a command prefix that runs docker and buildah (a `chroot`-style wrapper; none when not given)
 *   SIRU_BENCH_SHARE   a folder that has the same path for Siru and for the peers; Siru's store lies there too
 *   SIRU_BENCH_BEFORE  the program of an earlier commit, to be measured beside this one
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Base } from './bases.ts';
import { attempt, run } from './process.ts';

export interface Tool {
  name: string;
  version: string;
  /** `cold` takes nothing from earlier builds. */
  build(context: string, tag: string, cold?: boolean): string[];
  /** What a cold build needs beside: Siru gets a new store with these bases, unpacked as they are with the peers. */
  start(bases: readonly string[]): void;
  /** Removes the images that the benchmarks made, so that a pull brings all of them. */
  forget(): void;
  /** Frees the disk, at the end of a workload. */
  clean(): void;
  tag(from: string, to: string): string[];
  push(tag: string): string[];
  pull(tag: string): string[];
  /** Runs a command in a new container of the image, which is removed afterwards. */
  run(tag: string, command: string[]): string[];
  loadBase(base: Base): void;
}

export const siruBinary: string = resolve(import.meta.dirname, '../bin/siru');
const wrapper = (process.env.SIRU_BENCH_PEERS ?? '').split(' ').filter(Boolean);

export function siruTool(folder: string, name = 'siru', program: string = siruBinary): Tool {
  let stores = 0;
  const siru = (...args: string[]): string[] => [program, '--root', join(folder, String(stores)), ...args];
  const bases: Base[] = [];
  const start = (wanted: readonly string[]): void => {
    stores++;
    for (const { tar, tag } of bases.filter(({ tag }) => wanted.includes(tag))) {
      run(siru('import', tar, tag));
      run(siru('run', '--rm', tag, '/bin/true'));
    }
  };
  return {
    name,
    version: `${name} ${run([program, '--version']).trim()}`,
    build: (context, tag) => siru('build', '-q', '-t', tag, context),
    start,
    forget: () => start(['bench-base:1']),
    clean: () => rmSync(folder, { recursive: true, force: true }),
    tag: (from, to) => siru('tag', from, to),
    push: (tag) => siru('push', '-q', tag),
    pull: (tag) => siru('pull', '-q', tag),
    run: (tag, command) => siru('run', '--rm', tag, ...command),
    loadBase: (base) => void bases.push(base),
  };
}

function dockerTool(version: string): Tool {
  const docker = (...args: string[]): string[] => [...wrapper, 'docker', ...args];
  return {
    name: 'docker',
    version,
    build: (context, tag, cold) =>
      docker('buildx', 'build', '--builder', 'default', '--network', 'host', '--provenance=false', ...(cold ? ['--no-cache'] : []), '-q', '-t', tag, context),
    start() {},
    forget() {
      removeBuilt(docker('images', '--format', '{{.Repository}}:{{.Tag}}'), (image) => docker('rmi', '-f', image));
      attempt(docker('image', 'prune', '-f'));
      attempt(docker('builder', 'prune', '-af'));
    },
    clean() {
      this.forget();
    },
    tag: (from, to) => docker('tag', from, to),
    push: (tag) => docker('push', '-q', tag),
    pull: (tag) => docker('pull', '-q', tag),
    run: (tag, command) => docker('run', '--rm', '--network', 'host', tag, ...command),
    loadBase({ tar, tag }) {
      run(docker('import', tar, tag));
    },
  };
}

function buildahTool(version: string): Tool {
  const buildah = (...args: string[]): string[] => [...wrapper, 'buildah', ...args];
  const shell = (...commands: string[][]): string[] => ['sh', '-ec', commands.map((command) => command.join(' ')).join('\n')];
  // Its own defaults are more than a process in a container may ask for.
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=4096:4096'];
  const created = (image: string): string[] => ['c=$(', ...buildah('from', '--pull=never', ...limits, image), ')'];
  return {
    name: 'buildah',
    version,
    build: (context, tag, cold) => buildah('bud', ...limits, '--isolation', 'chroot', '--network', 'host', '--layers', '--pull=never', ...(cold ? ['--no-cache'] : []), '-q', '-t', tag, context),
    start() {},
    forget() {
      removeBuilt(buildah('images', '--format', '{{.Name}}:{{.Tag}}'), (image) => buildah('rmi', '-f', image));
      attempt(buildah('prune', '-f'));
    },
    clean() {
      this.forget();
    },
    tag: (from, to) => buildah('tag', from, to),
    push: (tag) => buildah('push', '-q', '--tls-verify=false', tag, `docker://${tag}`),
    pull: (tag) => buildah('pull', '-q', '--tls-verify=false', tag),
    run: (tag, command) => shell(created(tag), buildah('run', '--isolation', 'chroot', '"$c"', '--', ...command), buildah('rm', '"$c"')),
    loadBase({ tar, tag }) {
      run(shell(created('scratch'), buildah('add', '"$c"', tar, '/'), buildah('commit', '-q', '"$c"', tag), buildah('rm', '"$c"')));
    },
  };
}

/** Removes what the benchmarks made, and nothing that was there before. */
function removeBuilt(list: string[], remove: (image: string) => string[]): void {
  for (const name of run(list).split('\n')) if (/^(?:localhost\/)?bench:|^127\.0\.0\.1:\d+\//.test(name)) attempt(remove(name));
}

/** The peers that answer on this machine. */
export function findPeers(): Tool[] {
  const versionOf = (...command: string[]): string | undefined => {
    const [program, ...args] = [...wrapper, ...command];
    const { status, stdout } = spawnSync(program!, args, { encoding: 'utf8' });
    return status === 0 ? stdout.trim().split('\n')[0] : undefined;
  };
  const peers: Tool[] = [];
  const docker = versionOf('docker', 'version', '--format', '{{.Server.Version}}');
  if (docker !== undefined) peers.push(dockerTool(`docker ${docker}, ${versionOf('docker', 'buildx', 'version') ?? 'no buildx'}`));
  const buildah = versionOf('buildah', '--version');
  if (buildah !== undefined) peers.push(buildahTool(buildah));
  return peers;
}

export function shareFolder(): string {
  return join(process.env.SIRU_BENCH_SHARE ?? '/tmp', 'siru-bench');
}
