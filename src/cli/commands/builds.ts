/** `siru builds`: the history of builds. The words after it choose what is done; each way is loaded by itself. */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import { collect } from '../arguments.ts';
import type { Call } from '../call.ts';

export interface BuildsFlags {
  format?: string;
  quiet?: boolean;
  trunc: boolean;
  filter: string[];
  last?: string;
  json?: boolean;
  output?: string;
  all?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [ls | inspect BUILD | compare BUILD BUILD | trace BUILD | rm BUILD...]')
    .argument('[words...]')
    .option('--format <template>', "Of ls: 'table', 'table TEMPLATE', 'json' or a Go template; of trace: 'chrome' or 'otlp'")
    .option('-q, --quiet', 'Of ls: IDs only')
    .option('--no-trunc', "Of ls: don't truncate IDs and errors")
    .option('-f, --filter <filter>', 'Of ls: outcome, name, directory, since or before', collect, [])
    .option('-n, --last <count>', 'Of ls: the newest only')
    .option('--json', 'Of inspect and compare: all of it as JSON')
    .option('-o, --output <file>', 'Of trace: where it goes; standard output when not given')
    .option('-a, --all', 'Of rm: every build')
    .addHelpText('after', `
Fields: .ID .Name .Outcome .Steps .Cached .Executed .Took .CreatedSince .CreatedAt .Directory .ImageID .Error

Examples:
  siru builds
  siru builds -f outcome=failed -n 5
  siru builds inspect app:1.0
  siru builds compare 3f2a91c4 77ab01de
  siru builds trace 3f2a91c4 -o build.json
  siru builds rm 3f2a91c4`);
}

export async function run(call: Call, [verb = 'ls', ...words]: string[], flags: BuildsFlags): Promise<number | void> {
  const take = (least: number, most: number, what: string): void => {
    if (words.length < least || words.length > most) throw new SiruError('USAGE', `builds ${verb} takes ${what}`, { hint: 'see siru builds --help' });
  };
  switch (verb) {
    case 'ls':
    case 'list':
      take(0, 0, 'no operands');
      return (await import('../builds/list.ts')).listBuilds(call, flags);
    case 'inspect':
      take(0, 1, 'one build');
      return (await import('../builds/inspect.ts')).inspectBuild(call, words[0], flags);
    case 'compare':
      take(2, 2, 'two builds');
      return (await import('../builds/compare.ts')).compareTwo(call, words as [string, string], flags);
    case 'trace':
      take(0, 1, 'one build');
      return (await import('../builds/trace.ts')).traceBuild(call, words[0], flags);
    case 'rm':
    case 'remove':
      take(flags.all ? 0 : 1, flags.all ? 0 : Infinity, flags.all ? 'no builds with --all' : 'builds to remove');
      return (await import('../builds/remove.ts')).removeBuilds(call, words, flags);
    default:
      throw new SiruError('USAGE', `builds ${verb}: no such command`, { hint: 'ls, inspect, compare, trace or rm' });
  }
}
