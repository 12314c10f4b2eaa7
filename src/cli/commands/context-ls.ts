/** `siru context ls` */
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import { parseContext } from '../../build/contexts/spec.ts';
import type { ListedPath } from '../../build/survey/survey.ts';
import { collect } from '../arguments.ts';
import { refuseUnsupported, type BuildFlags } from '../build-flags.ts';
import type { Call } from '../call.ts';
import { gatherOptions, oneContext } from '../gather-options.ts';
import { harmlessJson, harmlessLine } from '../sanitize.ts';
import { humanSize } from '../units.ts';
import { addBuildFlags } from './build.ts';

interface Flags extends BuildFlags {
  why: string[];
  top: string;
  files?: boolean;
  json?: boolean;
}

/** The flags of a build on which it depends what is taken. The others are taken too, so that a build's line can be pasted. */
const shown = new Set(['--file', '--target', '--build-arg', '--platform', '--build-context', '--secret', '--ssh', '--help']);
/** Lines that are printed together. */
const batch = 1000;

export function configure(command: Command): void {
  addBuildFlags(command);
  for (const option of command.options) if (!shown.has(option.long ?? '')) option.hideHelp();
  command
    .usage('[OPTIONS] [PATH | URL | -]')
    .option('--why <path>', 'Only say why this path is in the context or not, and who takes it; may be given many times', collect, [])
    .option('--top <count>', 'Paths shown of the largest, and of what nothing takes', '10')
    .option('--files', 'One line for each path: its size, the lines that take it, or the rule that leaves it out')
    .option('--json', 'All of it as JSON; with --files one object per line')
    .addHelpText('after', `
Takes every flag of build. Looks at names and sizes; no file of the context is read.

Examples:
  siru context ls
  siru context ls --target server -f docker/Dockerfile .
  siru context ls --why node_modules --why src/config.json
  siru context ls --files --json . | jq -r 'select(.takenBy == []) | .path'`);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<void> {
  const context = oneContext('context ls', operands.length === 0 ? ['.'] : operands);
  if (!/^\d{1,6}$/.test(flags.top)) throw new SiruError('USAGE', `--top ${flags.top}: not a whole number`);
  refuseUnsupported(flags);
  const options = await gatherOptions(call, context, flags);
  const folder = parseContext(context, (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false).type === 'directory';
  // What is no folder becomes a layer of the store.
  const store = await (folder ? call.storeToRead() : call.store());
  const [{ surveyContext }, { contextText, whyText }] = await Promise.all([import('../../build/survey/survey-context.ts'), import('../context-text.ts')]);
  const lines: string[] = flags.files && !flags.json ? [row('SIZE', 'LINES', 'PATH')] : [];
  const flush = (): void => call.print(lines.splice(0).join(''));
  const onPath = (path: ListedPath): void => {
    lines.push(flags.json ? `${harmlessJson(JSON.stringify(path))}\n` : pathLine(path));
    if (lines.length >= batch) flush();
  };
  const survey = await surveyContext({ ...options, store, signal: call.signal, top: Number(flags.top), why: flags.why, ...(flags.files && { onPath }) });
  if (flags.files) return flush();
  if (flags.json) return call.print(`${harmlessJson(JSON.stringify(flags.why.length > 0 ? survey.why : survey, undefined, 2))}\n`);
  call.print(flags.why.length > 0 ? whyText(survey.why) : contextText(survey));
}

function row(size: string, lines: string, path: string): string {
  return `${size.padStart(6)}  ${lines.padEnd(10)}  ${path}\n`;
}

function pathLine({ context, path, type, size, leftOut, takenBy }: ListedPath): string {
  const note = leftOut ? `  (left out by line ${leftOut.line} of ${harmlessLine(leftOut.file)})` : '';
  return row(type === 'file' ? humanSize(size) : '-', leftOut ? '-' : takenBy.join(','), `${context === undefined ? '' : `${harmlessLine(context)}: `}${harmlessLine(path)}${type === 'dir' ? '/' : ''}${note}`);
}
