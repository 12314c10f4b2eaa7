/**
 * What looking costs: `explain`, `plan`, a build in which nothing changed, and the bare walk of its context, on a build of 50
 * steps and 100,000 files; and the build in which nothing changed with few and with many earlier builds in the history. Rounds
 * are interleaved; the figure is the median, and the least beside it. Timing never fails it.
 *
 *     sh scripts/bench-look.sh [--rounds 7] [--files 100000] [--history 10000]
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { randomUUID } from 'node:crypto';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sha256 } from '../src/oci/digest.ts';
import { openStore } from '../src/store/open-store.ts';
import { makeBases, type Base } from './bases.ts';
import { shareFolder, siruBinary } from './peers.ts';
import { median, run, time } from './process.ts';
import { noise } from './workloads.ts';

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, files: { type: 'string', default: '100000' }, history: { type: 'string', default: '10000' } } });
const rounds = Number(values.rounds);
const modules = 20;

/** 20 modules with a COPY and a RUN each, and 10 steps around them. */
function makeContext(folder: string, files: number): void {
  mkdirSync(folder, { recursive: true });
  const lines = ['FROM bench-base:1 AS build', 'WORKDIR /app', 'COPY package.json ./', 'RUN cat package.json > lock'];
  writeFileSync(join(folder, 'package.json'), '{"name":"bench"}\n');
  for (let m = 0; m < modules; m++) {
    for (let d = 0; d < files / modules / 100; d++) {
      const place = join(folder, `src/m${m}/d${d}`);
      mkdirSync(place, { recursive: true });
      for (let f = 0; f < 100; f++) writeFileSync(join(place, `f${f}.js`), noise(200 + ((d * f) % 20) * 40, m * 100_000 + d * 100 + f));
    }
    lines.push(`COPY src/m${m} src/m${m}`, `RUN ls src/m${m} > list${m}`);
  }
  lines.push('RUN cat list* > list', 'FROM bench-base:1', 'WORKDIR /srv', 'RUN echo app:x:1000 >> /etc/passwd', 'COPY --from=build /app/list /app/lock ./', 'RUN test -s list', 'RUN echo ready > state', 'COPY package.json ./');
  writeFileSync(join(folder, 'Dockerfile'), `${lines.join('\n')}\n`);
}

interface Measured {
  name: string;
  command: string[];
  seconds: number[];
  memory: number;
}

/** Each in turn, first in one order and then in the other. */
function measure(all: readonly [name: string, command: string[]][]): Measured[] {
  const measured = all.map(([name, command]): Measured => ({ name, command, seconds: [], memory: 0 }));
  for (let round = 0; round < rounds; round++) {
    for (const one of round % 2 === 0 ? measured : measured.toReversed()) {
      const { seconds, memory } = time(one.command);
      one.seconds.push(seconds);
      one.memory = Math.max(one.memory, memory);
    }
  }
  return measured;
}

function show(measured: readonly Measured[]): void {
  for (const { name, seconds, memory } of measured) console.log(`| ${name} | ${median(seconds).toFixed(3)} | ${Math.min(...seconds).toFixed(3)} | ${memory.toFixed(0)} |`);
}

const walk = `const { readdirSync, lstatSync } = require('node:fs');
const visit = (folder) => { for (const name of readdirSync(folder)) { const path = folder + '/' + name; if (lstatSync(path).isDirectory()) visit(path); } };
visit(process.argv[1]);`;

/**
 * A store with this many builds of the context in its history, and the records of two steps for each of them. Rows are copies of a
 * real build's, written by the store itself: half of them are of the same place, the others of other contexts.
 */
async function makeHistory(root: string, builds: number, base: Base, context: string): Promise<void> {
  const siru = (...args: string[]): string[] => [siruBinary, '--root', root, ...args];
  run(siru('import', base.tar, base.tag));
  for (let i = 0; i < 2; i++) run(siru('build', '-q', '-t', 'look:1', context));
  const store = await openStore({ root });
  const [entry] = store.builds.list({ limit: 1 });
  const key = entry!.steps.findLast((step) => step.key !== undefined)!.key!;
  const record = store.records.get(key)!;
  for (let i = 2; i < builds - 1; i++) {
    const age = (builds - i) * 60_000;
    const place = i % 2 === 0 ? entry!.place : sha256(`another ${i % 100}`);
    store.builds.add({ ...entry!, id: randomUUID(), started: entry!.started - age, ...(place === undefined ? {} : { place }) });
    for (const step of [1, 2]) store.records.put({ ...record, key: sha256(`record ${i} ${step}`), executed: record.executed - age });
  }
  await store.close();
  run(siru('build', '-q', '-t', 'look:1', context));
}

const share = join(shareFolder(), 'look');
mkdirSync(share, { recursive: true });
const base = makeBases(shareFolder())[0]!;
console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus().length} x ${cpus()[0]?.model}, Linux ${release()}, node ${process.version}, ${rounds} rounds, load ${loadavg()[0]!.toFixed(1)}\n`);

const context = join(share, `context-${values.files}`);
if (!existsSync(context)) makeContext(context, Number(values.files));
const root = join(share, 'store');
const siru = (...args: string[]): string[] => [siruBinary, '--root', root, ...args];
if (!existsSync(root)) {
  run(siru('import', base.tar, base.tag));
  run(siru('build', '-q', '-t', 'look:1', context));
}
// Rows of files that changed just before are not kept: twice, so that all of the context is known.
for (let i = 0; i < 2; i++) run(siru('build', '-q', '-t', 'look:1', context));
console.log(`| 50 steps, ${values.files} files | median s | least s | MiB |\n|---|---|---|---|`);
show(measure([
  ['siru explain', siru('explain', 'look:1')],
  ['siru plan', siru('plan', '-t', 'look:1', context)],
  ['siru build, nothing changed', siru('build', '-q', '-t', 'look:1', context)],
  ['siru context ls', siru('context', 'ls', context)],
  ['readdir and lstat of the context, Node alone', [process.execPath, '-e', walk, context]],
  ['siru --version', [siruBinary, '--version']],
]));

const small = join(share, 'context-2000');
if (!existsSync(small)) makeContext(small, 2000);
const few = join(share, 'history-10');
const many = join(share, `history-${values.history}`);
if (!existsSync(few)) await makeHistory(few, 10, base, small);
if (!existsSync(many)) await makeHistory(many, Number(values.history), base, small);
const ofStore = (store: string, ...args: string[]): string[] => [siruBinary, '--root', store, ...args];
console.log(`\n| 50 steps, 2000 files | median s | least s | MiB |\n|---|---|---|---|`);
const compared = measure([
  ['nothing changed, 10 builds in the history', ofStore(few, 'build', '-q', '-t', 'look:1', small)],
  [`nothing changed, ${values.history} builds in the history`, ofStore(many, 'build', '-q', '-t', 'look:1', small)],
  ['explain, 10 builds', ofStore(few, 'explain', 'look:1')],
  [`explain, ${values.history} builds`, ofStore(many, 'explain', 'look:1')],
]);
show(compared);
const [a, b] = compared.map(({ seconds }) => seconds) as [number[], number[]];
console.log(`\nNothing changed, ${values.history} builds to 10: ${(median(b) / median(a)).toFixed(2)}x by medians, ${(Math.min(...b) / Math.min(...a)).toFixed(2)}x by the least, ${median(b.map((seconds, i) => seconds / a[i]!)).toFixed(2)}x by pairs (goal 1.2x).`);
