/**
 * The tools that are measured, behind one face: Siru, and the peers that this machine has. Peers are found by environment
 * variables, so that nothing of one machine stands here:
 *
 *   SIRU_BENCH_PEERS   a command prefix that runs docker, buildah and the like (`chroot`-style wrapper; default: none)
 *   SIRU_BENCH_SHARE   a folder that has the same path for Siru and for the peers
 */
import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';

export interface Tool {
  name: string;
  build(context: string, tag: string, options?: { noCache?: boolean }): string[];
  /** Forgets every build, keeps the base images. */
  forget(): void;
  push(tag: string): string[];
  pullAndRun(tag: string, command: string[]): string[][];
  remove(tag: string): void;
  loadBase(tar: string, tag: string): void;
}

export const siruBinary: string = resolve(import.meta.dirname, '../bin/siru');
const wrapper = (process.env.SIRU_BENCH_PEERS ?? '').split(' ').filter(Boolean);

export function run(command: string[], quiet = true): string {
  const result = spawnSync(command[0]!, command.slice(1), { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (result.status !== 0 && !quiet) throw new Error(`${command.join(' ')}\n${result.stderr}`);
  return result.stdout;
}

export function siruTool(root: string): Tool {
  const siru = (...args: string[]): string[] => [siruBinary, '--root', root, ...args];
  const bases: [string, string][] = [];
  return {
    name: 'siru',
    build: (context, tag, { noCache } = {}) => siru('build', '-q', '-t', tag, ...(noCache ? ['--no-cache'] : []), context),
    forget() {
      run(['rm', '-rf', root], false);
      for (const [tar, tag] of bases) run(siru('import', tar, tag), false);
    },
    push: (tag) => siru('push', '-q', tag),
    pullAndRun: (tag, command) => [siru('pull', '-q', tag), siru('run', '--rm', tag, ...command)],
    remove(tag) {
      run(siru('rmi', '-f', tag));
      run(siru('prune', '-a', '-f'));
    },
    loadBase(tar, tag) {
      bases.push([tar, tag]);
      run(siru('import', tar, tag), false);
    },
  };
}

function dockerTool(): Tool {
  const docker = (...args: string[]): string[] => [...wrapper, 'docker', ...args];
  return {
    name: 'docker',
    build: (context, tag, { noCache } = {}) =>
      docker('buildx', 'build', '--builder', 'default', '--network', 'host', '--provenance=false', '-q', '-t', tag, ...(noCache ? ['--no-cache'] : []), context),
    forget: () => void run(docker('builder', 'prune', '-af')),
    push: (tag) => docker('push', '-q', tag),
    pullAndRun: (tag, command) => [docker('pull', '-q', tag), docker('run', '--rm', '--network', 'host', tag, ...command)],
    remove: (tag) => void run(docker('rmi', '-f', tag)),
    loadBase(tar, tag) {
      run(docker('import', tar, tag), false);
    },
  };
}

function buildahTool(): Tool {
  const buildah = (...args: string[]): string[] => [...wrapper, 'buildah', ...args];
  return {
    name: 'buildah',
    build: (context, tag, { noCache } = {}) =>
      buildah('bud', '--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=4096:4096', '--isolation', 'chroot', '--network', 'host', '--layers', '--pull=never', '-q', '-t', tag, ...(noCache ? ['--no-cache'] : []), context),
    forget() {
      run(buildah('prune', '-f'));
    },
    push: (tag) => buildah('push', '-q', '--tls-verify=false', tag),
    pullAndRun: (tag, command) => [
      buildah('pull', '-q', '--tls-verify=false', tag),
      ['sh', '-c', `c=$(${buildah('from', tag).join(' ')}) && ${buildah('run', '--isolation', 'chroot', '$c', '--', ...command).join(' ')}; ${buildah('rm', '$c').join(' ')}`],
    ],
    remove: (tag) => void run(buildah('rmi', '-f', tag)),
    loadBase(tar, tag) {
      run(['sh', '-c', `c=$(${buildah('from', 'scratch').join(' ')}) && ${buildah('add', '$c', tar, '/').join(' ')} && ${buildah('commit', '$c', tag).join(' ')} && ${buildah('rm', '$c').join(' ')}`], false);
    },
  };
}

/** The peers that answer on this machine. */
export function findPeers(): Tool[] {
  const answers = (program: string, args: string[]): boolean => spawnSync([...wrapper, program][0]!, [...wrapper, program].slice(1).concat(args)).status === 0;
  const peers: Tool[] = [];
  if (answers('docker', ['version'])) peers.push(dockerTool());
  if (answers('buildah', ['version'])) peers.push(buildahTool());
  return peers;
}

export function shareFolder(): string {
  return join(process.env.SIRU_BENCH_SHARE ?? '/tmp', 'siru-bench');
}
