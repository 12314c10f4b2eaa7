/** A base layer of busybox for tests, and executors over a folder that looks like a store. */
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Entry, LayerSummary } from '../layer/entry.ts';
import { createLayerWriter } from '../layer/writer.ts';
import type { Content } from '../layer/writer-contract.ts';
import type { Executor, ProcessSpec, RunResult } from './executor.ts';
import { createExecutor } from './helper-client.ts';
import { findProgram } from './runtimes.ts';

export const busybox: string | undefined = findProgram('busybox');

/** Why the tests of running cannot run here, or false. */
export const cannotRun: string | false =
  process.platform !== 'linux' ? 'needs Linux'
  : busybox === undefined ? 'needs busybox-static'
  : findProgram('crun') === undefined && findProgram('runc') === undefined ? 'needs crun or runc'
  : process.getuid?.() !== 0 && findProgram('newuidmap') === undefined ? 'needs newuidmap'
  : false;

export type Line = Partial<Entry> & Pick<Entry, 'path'> & { text?: string; file?: string };

/** Entries in short: a directory unless there is something else to it. */
export function writeLayer(file: string, lines: Line[]): LayerSummary {
  const fd = openSync(file, 'w');
  const writer = createLayerWriter({ write: (bytes) => void writeSync(fd, bytes) });
  for (const { text, file: from, ...line } of [...lines].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const bytes = from === undefined ? (text === undefined ? undefined : Buffer.from(text)) : readFileSync(from);
    const type = line.type ?? (bytes ? 'file' : line.link === undefined ? 'dir' : 'symlink');
    const mode = type === 'dir' ? 0o755 : type === 'symlink' ? 0o777 : 0o644;
    const entry: Entry = { mode, uid: 0, gid: 0, mtime: 1000, ...line, type, size: bytes?.length ?? 0 };
    writer.add(entry, bytes && ({ bytes } satisfies Content));
  }
  const { summary } = writer.finish();
  closeSync(fd);
  return summary;
}

export interface Bench extends AsyncDisposable {
  root: string;
  executor: Executor;
  /** `layers/base/fs`, with busybox, passwd and group. */
  base: string;
  warnings: string[];
  /** A layer unpacked under a name; gives its tree. */
  layer(name: string, lines: Line[]): Promise<string>;
  fresh(): string;
  run(lowers: string[], script: string, spec?: Partial<ProcessSpec>): Promise<Ran>;
}

export interface Ran extends RunResult {
  stdout: string;
  stderr: string;
}

export const baseLines: Line[] = [
  { path: 'bin' },
  { path: 'dev' },
  { path: 'etc' },
  { path: 'etc/group', text: 'root:x:0:\napp:x:1001:\nextra:x:2000:app\n' },
  { path: 'etc/passwd', text: 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1001::/home/app:/bin/sh\n' },
  { path: 'etc/hosts', text: '' },
  { path: 'etc/resolv.conf', text: '' },
  { path: 'home' },
  { path: 'home/app', uid: 1000, gid: 1001, mode: 0o700 },
  { path: 'proc' },
  { path: 'root', mode: 0o700 },
  { path: 'sys' },
  { path: 'tmp', mode: 0o1777 },
];

export const environment: string[] = ['PATH=/bin'];

export function specOf(script: string, more: Partial<ProcessSpec> = {}): ProcessSpec {
  return { args: ['/bin/sh', '-c', script], env: environment, cwd: '/', user: { name: 'root' }, hostname: 'bench', mounts: [], network: 'host', ...more };
}

export async function openBench(): Promise<Bench> {
  const root = mkdtempSync(join(tmpdir(), 'siru-runtime-'));
  for (const name of ['tmp', 'layers', 'cache-mounts']) mkdirSync(join(root, name));
  const warnings: string[] = [];
  const executor = await createExecutor({ folder: join(root, 'tmp'), onWarning: (text) => warnings.push(text) });
  let count = 0;
  const fresh = (): string => join(root, 'tmp', String(count++));
  const bench: Bench = {
    root,
    executor,
    base: '',
    warnings,
    fresh,
    async layer(name, lines) {
      const blob = fresh();
      const { diffId } = writeLayer(blob, lines);
      const target = join(root, 'layers', name);
      await executor.unpack({ blob, compression: 'none', diffId, target });
      return join(target, 'fs');
    },
    async run(lowers, script, spec = {}) {
      const { id } = await executor.prepare({ lowers, folder: fresh() });
      try {
        return await collect(executor, id, specOf(script, spec));
      } finally {
        await executor.remove(id);
      }
    },
    async [Symbol.asyncDispose]() {
      await executor.removeTrees(['layers', 'tmp', 'cache-mounts'].map((name) => join(root, name)));
      await executor.close();
      rmSync(root, { recursive: true, force: true });
    },
  };
  const applets = execFileSync(busybox!, ['--list'], { encoding: 'utf8' }).split('\n').filter((name) => name !== '' && name !== 'busybox');
  bench.base = await bench.layer('base', [
    ...baseLines,
    { path: 'bin/busybox', file: busybox!, mode: 0o755 },
    ...applets.map((name): Line => ({ path: `bin/${name}`, link: 'busybox' })),
  ]);
  return bench;
}

export async function collect(executor: Executor, id: string, spec: ProcessSpec, signal?: AbortSignal): Promise<Ran> {
  const output = { stdout: '', stderr: '' };
  const result = await executor.run(id, spec, { type: 'stream', onOutput: (stream, bytes) => (output[stream] += bytes.toString()) }, signal);
  return { ...result, ...output };
}
