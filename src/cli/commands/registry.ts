/** `siru registry`: a registry of one's own. The word after it chooses what is done; each way is loaded by itself. */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import { collect } from '../arguments.ts';
import type { Call } from '../call.ts';
import { addInsecureFlag } from '../registry-flags.ts';

export interface RegistryFlags {
  root?: string;
  config?: string;
  listen?: string;
  log?: string;
  grace?: string;
  dryRun?: boolean;
  apply?: boolean;
  from: string[];
  rate?: string;
  insecureRegistry: string[];
  users?: string;
  passwordStdin?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] serve | check | gc | scrub | retention | du | user add|rm|ls [NAME]')
    .argument('[words...]')
    .option('--root <folder>', 'Where the registry keeps its content')
    .option('--config <file>', 'Its configuration file; flags go before it')
    .option('--listen <address>', 'Where it listens: 127.0.0.1:5000 when not given, :5000 for every address')
    .option('--log <form>', 'What it writes for each request: text, json or none')
    .option('--grace <duration>', 'How long running requests may take when it is told to end; 30s when not given')
    .option('--dry-run', 'gc and retention: only list what would go, and why')
    .option('--apply', 'retention: remove what it lists')
    .option('--from <registry>', 'scrub: bring what is broken from there: HOST or HOST/PREFIX', collect, [])
    .option('--rate <size>', 'scrub: bytes that are read in a second at most; 100MB when not given')
    .option('--users <file>', 'The password file that user changes; the one of --config when not given')
    .option('--password-stdin', 'Read the password of user add from standard input')
    .addHelpText('after', `
Examples:
  siru registry serve
  siru registry serve --root /srv/registry --listen :5000
  siru registry check --config registry.yaml
  siru registry gc --dry-run
  siru registry du team/app
  siru registry scrub --from registry.example/mirror
  siru registry retention --config registry.yaml
  siru registry user add ann --config registry.yaml
  siru tag app:1.0 localhost:5000/app:1.0 && siru push localhost:5000/app:1.0`);
  addInsecureFlag(command);
}

export async function run(call: Call, [verb, ...words]: string[], flags: RegistryFlags): Promise<number | void> {
  const take = (most: number, what: string): void => {
    if (words.length > most) throw new SiruError('USAGE', `registry ${verb} takes ${what}`, { hint: 'see siru registry --help' });
  };
  switch (verb) {
    case 'serve':
      take(0, 'no operands');
      return (await import('../registry/serve.ts')).serve(call, flags);
    case 'check':
      take(0, 'no operands');
      return (await import('../registry/serve.ts')).check(call, flags);
    case 'gc':
      take(0, 'no operands');
      return (await import('../registry/garbage.ts')).gc(call, flags);
    case 'du':
      return (await import('../registry/garbage.ts')).du(call, flags, words);
    case 'scrub':
      take(0, 'no operands');
      return (await import('../registry/scrub.ts')).scrubRegistry(call, flags);
    case 'retention':
      take(0, 'no operands');
      return (await import('../registry/retention.ts')).retention(call, flags);
    case 'user':
      return (await import('../registry/user.ts')).user(call, words, flags);
    case undefined:
      throw new SiruError('USAGE', 'registry what?', { hint: 'siru registry serve starts one; see siru registry --help' });
    default:
      throw new SiruError('USAGE', `registry ${verb}: no such command`, { hint: 'see siru registry --help' });
  }
}
