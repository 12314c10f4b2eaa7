/** `siru logs` */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import type { BuildEntry, BuildStep } from '../../store/store.ts';
import type { Call } from '../call.ts';
import { findBuild, findStep, shortBuild } from '../../build/history/find-build.ts';
import { harmlessLog } from '../sanitize.ts';
import { writeOut } from '../write-out.ts';

export function configure(command: Command): void {
  command
    .usage('[BUILD | NAME | DIRECTORY] [STEP]')
    .argument('[build]', 'ID, name of the result or context; the last build of this directory when not given')
    .argument('[step]', 'number, stage/position, :line, or how the instruction begins; the one that failed when not given')
    .addHelpText('after', '\nExamples:\n  siru logs\n  siru logs app:1.0 \'RUN make\'\n  siru logs 3f2a91c4 6');
}

export async function run(call: Call, [build, words]: string[]): Promise<void> {
  const store = await call.store();
  const entry = findBuild(store.builds, build, process.cwd());
  const step = words === undefined ? spoken(entry) : findStep(entry, words);
  const file = step.number === undefined ? undefined : store.builds.logFile(entry.id, step.number);
  if (file === undefined) {
    if (step.logBytes) throw new SiruError('NOT_FOUND', `the log of ${step.text} in build ${shortBuild(entry.id)} was removed`, { hint: 'The oldest logs make room for new ones: see docs/explain.md.' });
    return call.tell(`${step.text} wrote nothing${step.status === 'cached' ? ': it was not executed in this build' : ''}\n`);
  }
  const fd = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(1 << 16);
    const decoder = new TextDecoder();
    for (let got; (got = readSync(fd, buffer)) > 0; ) {
      if (call.stdout.isTTY) await writeOut(Buffer.from(harmlessLog(decoder.decode(buffer.subarray(0, got), { stream: true }))));
      else await writeOut(Buffer.from(buffer.subarray(0, got)));
    }
  } finally {
    closeSync(fd);
  }
}

/** The step that failed; else the last that wrote something. */
function spoken({ id, steps }: BuildEntry): BuildStep {
  const step = steps.find(({ status, logBytes }) => status === 'failed' && logBytes) ?? steps.findLast(({ logBytes }) => logBytes) ?? steps.find(({ status }) => status === 'failed');
  if (step) return step;
  throw new SiruError('NOT_FOUND', `no step of build ${shortBuild(id)} wrote anything`, { hint: 'Steps that were cached were not executed; siru builds lists the builds in which they may have been.' });
}
