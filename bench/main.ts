/**
 * The benchmark table: Siru beside its peers on the same inputs, interleaved round by round, as ratios of medians to the
 * best peer of the same run. Timing never fails it.
 *
 *     node bench/main.ts [--rounds 3] [--only TEXT]
 *
 * Needs root: Siru's store lies on a fresh ext4 in a loop file, so that the host's file system does not decide.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findPeers, run, shareFolder, siruTool, type Tool } from './peers.ts';
import { makeBases } from './bases.ts';
import { makeWorkload, workloads, type Workload } from './workloads.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, only: { type: 'string' } } });
const rounds = Number(values.rounds);

interface Timed {
  seconds: number;
  /** Peak resident memory of the largest process, MiB. */
  memory: number;
}

/** Runs a command as a whole process. */
function time(command: string[]): Timed {
  const file = join(tmpdir(), `siru-time-${process.pid}`);
  const started = performance.now();
  const result = spawnSync('/usr/bin/env', ['time', '-f', '%M', '-o', file, ...command], { encoding: 'utf8', maxBuffer: 1 << 28 });
  const seconds = (performance.now() - started) / 1000;
  if (result.status !== 0) throw new Error(`${command.join(' ')}: ${result.stderr.slice(-2000)}`);
  return { seconds, memory: Number(run(['tail', '-n', '1', file])) / 1024 };
}

const median = (list: number[]): number => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN;

function measure(workload: Workload, tools: Tool[], folder: string): string[] {
  const figures = new Map<string, Timed[]>();
  const note = (tool: Tool, what: string, timed: Timed): void => {
    const key = `${tool.name} ${what}`;
    figures.set(key, [...(figures.get(key) ?? []), timed]);
  };
  for (let round = 0; round < rounds; round++) {
    for (const tool of tools) {
      tool.forget();
      run(['sync']);
      note(tool, 'cold', time(tool.build(folder, 'bench:1')));
      note(tool, 'unchanged', time(tool.build(folder, 'bench:1')));
    }
    if (workload.change) {
      workload.change(folder, round);
      for (const tool of tools) note(tool, 'changed', time(tool.build(folder, 'bench:1')));
    }
  }
  const of = (tool: Tool, what: string): number => median((figures.get(`${tool.name} ${what}`) ?? []).map(({ seconds }) => seconds));
  const [siru, ...peers] = tools;
  const rows: string[] = [];
  for (const what of ['cold', 'unchanged', 'changed'] as const) {
    if (!figures.has(`siru ${what}`)) continue;
    const mine = of(siru!, what);
    const best = Math.min(...peers.map((peer) => of(peer, what)));
    const goal = workload.goals[what];
    const absolute = what !== 'changed' && workload.goals.absolute?.includes(what);
    const met = goal === undefined ? '' : (absolute ? mine : mine / best) <= goal ? 'met' : 'missed';
    const memory = Math.max(...figures.get(`siru ${what}`)!.map((timed) => timed.memory));
    rows.push(
      `| ${workload.name} | ${what} | ${mine.toFixed(3)} | ${peers.map((peer) => of(peer, what).toFixed(2)).join(' | ')} | ${(mine / best).toFixed(2)} | ${goal === undefined ? '' : absolute ? `${goal} s` : `${goal}x`} | ${met} | ${memory.toFixed(0)} |`,
    );
    console.log(rows.at(-1));
  }
  return rows;
}

/** A fresh ext4 in a loop file; gives its folder and a way to be rid of it. */
function freshDisk(): { folder: string; remove: () => void } {
  const place = mkdtempSync(join(tmpdir(), 'siru-bench-'));
  const image = join(place, 'disk');
  const folder = join(place, 'mnt');
  mkdirSync(folder);
  run(['truncate', '-s', '24G', image], false);
  run(['mkfs.ext4', '-q', '-F', image], false);
  const device = run(['losetup', '--find', '--show', '--direct-io=on', image], false).trim();
  run(['mount', device, folder], false);
  return {
    folder,
    remove() {
      run(['umount', folder]);
      run(['losetup', '-d', device]);
      rmSync(place, { recursive: true, force: true });
    },
  };
}

const disk = freshDisk();
try {
  const siru = siruTool(join(disk.folder, 'store'));
  const peers = findPeers();
  const tools = [siru, ...peers];
  const share = shareFolder();
  mkdirSync(share, { recursive: true });
  for (const { tar, tag } of makeBases(share)) for (const tool of tools) tool.loadBase(tar, tag);
  const head = `| workload | | siru s | ${peers.map(({ name }) => `${name} s`).join(' | ')} | ratio to best | goal | | siru MiB |`;
  console.log(`${head}\n|${'---|'.repeat(7 + peers.length)}`);
  const rows: string[] = [];
  for (const workload of workloads) {
    if (values.only && !workload.name.includes(values.only)) continue;
    const folder = join(share, workload.name.replace(/\W+/g, '-'));
    if (!existsSync(folder)) makeWorkload(workload, folder);
    rows.push(...measure(workload, tools, folder));
  }
  writeFileSync(join(share, 'results.md'), `${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model}, Linux ${release()}\n\n${head}\n|${'---|'.repeat(7 + peers.length)}\n${rows.join('\n')}\n`);
} finally {
  disk.remove();
}
