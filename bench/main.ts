/**
 * The benchmark table: Siru beside its peers on the same inputs, interleaved round by round, as ratios of medians to the
 * best peer of the same run. Timing never fails it.
 *
 *     sh scripts/bench.sh [--rounds 3] [--only TEXT]
 *
 * All stores lie on the file system of the shared folder (see peers.ts) or of the peers' own choice.
 */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeBases } from './bases.ts';
import { findPeers, shareFolder, siruBinary, siruTool, type Tool } from './peers.ts';
import { attempt, median, run, time, type Timed } from './process.ts';
import { startRegistry } from './registry.ts';
import { makeTransferImage, makeWorkload, workloads, type Goal, type Workload } from './workloads.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '3' }, only: { type: 'string', default: '' } } });
const rounds = Number(values.rounds);
const wanted = (name: string): boolean => name.includes(values.only);

/** What was measured, by tool and kind of run. */
type Figures = Map<string, Map<string, Timed[]>>;

function note(figures: Figures, tool: Tool, what: string, timed: Timed): void {
  const ofTool = figures.get(tool.name) ?? new Map<string, Timed[]>();
  figures.set(tool.name, ofTool);
  ofTool.set(what, [...(ofTool.get(what) ?? []), timed]);
}

const secondsOf = (figures: Figures, tool: string, what: string): number => median((figures.get(tool)?.get(what) ?? []).map(({ seconds }) => seconds));

const isPeer = ({ name }: Tool): boolean => name !== 'siru' && name !== 'before';

const lines: string[] = [];
function say(line: string): void {
  console.log(line);
  lines.push(line);
}

function row(name: string, what: string, figures: Figures, peers: string[], goal: Goal | undefined): void {
  const mine = secondsOf(figures, 'siru', what);
  const theirs = peers.map((peer) => secondsOf(figures, peer, what));
  const ratio = mine / Math.min(...theirs.filter((seconds) => seconds > 0));
  const target = goal === undefined ? '' : 'times' in goal ? `${goal.times}x` : `${goal.seconds} s`;
  const met = goal === undefined || !(mine > 0) ? '' : ('times' in goal ? ratio <= goal.times : mine <= goal.seconds) ? 'met' : 'missed';
  const before = secondsOf(figures, 'before', what);
  const toBefore = earlier === undefined ? '' : ` | ${before > 0 ? `${before.toFixed(3)} | ${(mine / before).toFixed(2)}x` : ' | '}`;
  say(`| ${name} | ${what} | ${mine.toFixed(3)}${toBefore} | ${theirs.map((seconds) => (seconds > 0 ? seconds.toFixed(2) : '')).join(' | ')} | ${ratio > 0 && ratio < 1e3 ? `${ratio.toFixed(2)}x` : ''} | ${target} | ${met} |`);
}

const memories: string[] = [];
function memoryRow(name: string, figures: Figures, goal: number | undefined): void {
  const all = [...(figures.get('siru')?.values() ?? [])].flat().map(({ memory }) => memory);
  const peak = Math.max(...all);
  memories.push(`| ${name} | ${peak.toFixed(0)} | ${goal ?? ''} | ${goal === undefined ? '' : peak < goal ? 'met' : 'missed'} |`);
}

function measureBuild(workload: Workload, tools: Tool[], folder: string): void {
  const figures: Figures = new Map();
  const contexts: string[] = [];
  const slow = new Set<Tool>();
  for (let round = 0; round < rounds; round++) {
    // A context of its own, because docker keeps a copy of one that it has seen. Nothing is deleted on the way: ext4 makes
    // files slowly where many were deleted a minute ago.
    const context = `${folder}.${round}`;
    contexts.push(context);
    rmSync(context, { recursive: true, force: true });
    run(['cp', '-a', folder, context]);
    // Who comes first finds the context cold.
    const ordered = round % 2 === 0 ? tools : tools.toReversed();
    for (const tool of ordered.filter((tool) => !slow.has(tool))) {
      tool.start(workload.debian ? ['bench-base:1', 'bench-debian:1'] : ['bench-base:1']);
      run(['sync']);
      note(figures, tool, 'cold', time(tool.build(context, 'bench:1', true)));
      note(figures, tool, 'unchanged', time(tool.build(context, 'bench:1')));
    }
    if (workload.change) {
      workload.change(context, round);
      for (const tool of ordered.filter((one) => !slow.has(one))) note(figures, tool, 'changed', time(tool.build(context, 'bench:1')));
    }
    // One that is far from the best is not asked again.
    const best = Math.min(...tools.filter(isPeer).map(({ name }) => secondsOf(figures, name, 'cold')));
    for (const tool of tools.filter(isPeer)) if (secondsOf(figures, tool.name, 'cold') > 3 * best) slow.add(tool);
  }
  for (const context of contexts) rmSync(context, { recursive: true, force: true });
  for (const tool of tools) tool.clean();
  const peers = tools.filter(isPeer).map(({ name }) => name);
  for (const what of ['cold', 'unchanged', 'changed'] as const) {
    if (figures.get('siru')!.has(what) && !workload.alone) row(workload.name, what, figures, peers, workload.goals[what]);
  }
  memoryRow(workload.name, figures, workload.memory);
}

/** Push to an empty registry, then pull into a store without the image, and the first container of it. */
async function measureTransfer(tools: Tool[], folder: string): Promise<void> {
  const figures: Figures = new Map();
  for (let round = 0; round < rounds; round++) {
    for (const tool of tools) {
      await using registry = await startRegistry();
      const name = `${registry.host}/bench:1`;
      tool.forget();
      run(tool.build(folder, 'bench:1', true));
      run(tool.tag('bench:1', name));
      run(['sync']);
      note(figures, tool, 'push', time(tool.push(name)));
      tool.forget();
      run(['sync']);
      const pull = time(tool.pull(name));
      const first = time(tool.run(name, ['ls', '/data']));
      note(figures, tool, 'pull + run', { seconds: pull.seconds + first.seconds, memory: Math.max(pull.memory, first.memory) });
    }
  }
  for (const tool of tools) tool.clean();
  const peers = tools.filter(isPeer).map(({ name }) => name);
  row('170 MB in 4 layers', 'push', figures, peers, { times: 0.5 });
  row('170 MB in 4 layers', 'pull + run', figures, peers, { times: 0.6 });
  memoryRow('170 MB in 4 layers', figures, undefined);
}

function measureStart(): void {
  const [version, node]: [number[], number[]] = [[], []];
  for (let i = 0; i < 21; i++) {
    version.push(time([siruBinary, '--version']).seconds);
    node.push(time([process.execPath, '-e', '0']).seconds);
  }
  const ratio = median(version) / median(node);
  say('');
  say(`\`siru --version\`: ${(median(version) * 1000).toFixed(0)} ms, \`node -e 0\`: ${(median(node) * 1000).toFixed(0)} ms, ${ratio.toFixed(2)}x (goal 1.5x): ${ratio <= 1.5 ? 'met' : 'missed'}.`);
}

const share = shareFolder();
const store = join(share, 'store');
attempt(['rm', '-rf', store]);
const siru = siruTool(store);
const program = process.env.SIRU_BENCH_BEFORE;
const earlier = program === undefined ? undefined : siruTool(join(share, 'before'), 'before', program);
const own = earlier ? [siru, earlier] : [siru];
const peers = findPeers();
const bases = makeBases(share);
for (const tool of [...own, ...peers]) for (const base of bases) tool.loadBase(base);
say(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model}, Linux ${release()}, node ${process.version}, ${rounds} rounds. ${[...own, ...peers].map(({ version }) => version).join('; ')}.\n`);
say(`| workload | | siru s${earlier ? ' | before s | to before' : ''} | ${peers.map(({ name }) => `${name} s`).join(' | ')} | to the best | goal | |`);
say(`|${'---|'.repeat((earlier ? 8 : 6) + peers.length)}`);
for (const workload of workloads) {
  if (!wanted(workload.name) || (workload.debian && bases.length < 2)) continue;
  const folder = join(share, workload.name.replace(/\W+/g, '-'));
  if (!existsSync(folder)) makeWorkload(workload, folder);
  measureBuild(workload, workload.alone ? [siru] : [...own, ...peers], folder);
}
if (wanted('transfer')) {
  const folder = join(share, 'transfer');
  if (!existsSync(folder)) makeTransferImage(folder);
  await measureTransfer([...own, ...peers], folder);
}
if (wanted('start')) measureStart();
say('\n| peak memory of the largest process of siru | MiB | goal | |\n|---|---|---|---|');
for (const line of memories) say(line);
mkdirSync(share, { recursive: true });
writeFileSync(join(share, 'results.md'), `${lines.join('\n')}\n`);
