/** `siru explain` */
import type { Command } from 'commander';
import type { Call } from '../call.ts';
import { findBuild, findStep } from '../../build/history/find-build.ts';
import { harmlessJson } from '../sanitize.ts';

interface Flags {
  all?: boolean;
  json?: boolean;
}

/** Files that are listed of a part without --all: the first are shown, the others are counted. */
const mostFiles = 1000;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [BUILD | NAME | DIRECTORY] [STEP]')
    .argument('[build]', 'ID, name of the result or context; the last build of this directory when not given')
    .argument('[step]', 'number, stage/position, :line, or how the instruction begins')
    .option('-a, --all', 'Every change, not only the first of each cause')
    .option('--json', 'All of it as JSON')
    .addHelpText('after', '\nExamples:\n  siru explain\n  siru explain app:1.0\n  siru explain . \'RUN npm ci\'\n  siru explain --json | jq .causes');
}

export async function run(call: Call, [build, step]: string[], flags: Flags): Promise<void> {
  const store = await call.store();
  const { explainBuild } = await import('../../build/history/explain-build.ts');
  const { openHistory } = await import('../../build/history/open-history.ts');
  const entry = findBuild(store.builds, build, process.cwd());
  const explanation = explainBuild(entry, openHistory(store, entry, flags.all || flags.json ? undefined : mostFiles));
  const chosen = step === undefined ? undefined : findStep({ id: entry.id, steps: explanation.steps }, step);
  if (flags.json) {
    const shown = chosen === undefined ? explanation : { ...explanation, steps: [chosen], causes: chosen.causes.map((index) => explanation.causes[index]) };
    return call.print(`${harmlessJson(JSON.stringify(shown, undefined, 2))}\n`);
  }
  const { explanationText, stepText } = await import('../explain-text.ts');
  const options = { now: Date.now(), all: flags.all ?? false };
  call.print(chosen ? stepText(explanation, chosen, options) : explanationText(explanation, options));
}
