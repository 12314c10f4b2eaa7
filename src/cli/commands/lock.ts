/** `siru lock` */
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import type { LockReport } from '../../build/lock/lock.ts';
import { refuseAttestations } from '../attestation-flags.ts';
import { progressMode, refuseUnsupported, type BuildFlags } from '../build-flags.ts';
import type { Call } from '../call.ts';
import { gatherOptions } from '../gather-options.ts';
import { lockLines, missingText, summary } from '../lock-text.ts';
import { shortName } from '../names.ts';
import { createProgress } from '../progress/progress.ts';
import { harmlessJson, harmlessText } from '../sanitize.ts';
import { addBuildFlags } from './build.ts';

interface Flags extends BuildFlags {
  update?: boolean;
  json?: boolean;
}

/** The flags of a build on which it depends what is locked. The others are taken, so that a build's line can be pasted. */
const shown = new Set(['--file', '--target', '--build-arg', '--platform', '--build-context', '--lock-file', '--offline', '--secret', '--ssh', '--mirror', '--insecure-registry', '--check', '--help']);

export function configure(command: Command): void {
  addBuildFlags(command);
  for (const option of command.options) if (!shown.has(option.long ?? '')) option.hideHelp();
  const check = command.options.find(({ long }) => long === '--check');
  if (check) check.description = 'Write nothing; fail when the lock file does not have all that the build takes';
  const offline = command.options.find(({ long }) => long === '--offline');
  if (offline) offline.description = 'Ask nobody: lock what is in the store';
  command
    .usage('[OPTIONS] [PATH | URL] [NAME...]')
    .argument('[names...]', 'with --update, what to renew: names as the lock file or the Dockerfile has them; all when there are none')
    .option('--update', 'Renew what is locked already: all of it, or what is named')
    .option('--json', 'What was locked, as JSON')
    .addHelpText('after', `
Writes which images, files behind URLs and commits the build takes into a file beside the Dockerfile: Dockerfile.lock.
Takes every flag of build. With --update a first word that is no directory is a NAME, and PATH is the present directory.

Examples:
  siru lock
  siru lock --platform linux/amd64,linux/arm64 .
  siru lock --update alpine:3.20
  siru lock --check .`);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<number | void> {
  const [context, names] = wordsOf(operands, flags);
  refuseUnsupported(flags);
  refuseAttestations(flags);
  const check = flags.check === true;
  const { environment } = call;
  if (check && flags.update) throw new SiruError('USAGE', '--check writes nothing, and --update does');
  const options = await gatherOptions(call, context, flags);
  const mode = progressMode(flags, environment);
  if (mode === 'json') throw new SiruError('USAGE', 'lock has no --progress json; --json prints what it did');
  const progress = createProgress({ mode, terminal: call.stderr, out: call.stdout, title: 'Locking', environment, short: shortName });
  let report: LockReport;
  try {
    const { lockBuild } = await import('../../build/lock/lock.ts');
    const update = flags.update && names.length > 0 ? names : flags.update === true;
    report = await lockBuild({ ...options, store: await call.store(), signal: call.signal, check, update, onEvent: (event) => progress.event(event) });
  } catch (error) {
    progress.finish(error);
    throw error;
  }
  progress.finish();
  if (flags.json) call.print(`${harmlessJson(JSON.stringify(report, undefined, 2))}\n`);
  else call.print(harmlessText(`${lockLines(report)}${check ? '' : `${summary(report)}\n`}`));
  if (!check) return;
  if (report.missing.length > 0) throw new SiruError('LOCK', missingText(report), { hint: 'Lock it, with the same options: siru lock.' });
  if (!flags.json) call.print(`${report.file} has all that the build takes\n`);
}

/** The context and the names. Throws USAGE. */
function wordsOf(operands: readonly string[], { update }: Flags): [context: string, names: string[]] {
  const [first, ...rest] = operands;
  if (first === undefined) return ['.', []];
  if (!update) {
    if (rest.length > 0) throw new SiruError('USAGE', 'lock takes one context: a directory or a URL', { hint: 'names are for siru lock --update' });
    return [first, []];
  }
  const isContext = /^\.{0,2}\//.test(first) || first === '.' || first === '..' || (statSync(first, { throwIfNoEntry: false })?.isDirectory() ?? false);
  return isContext ? [first, rest] : ['.', [...operands]];
}
