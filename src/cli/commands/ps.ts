/** `siru ps` */
import type { Command } from 'commander';
import { listContainers } from '../../containers/container.ts';
import type { Container } from '../../containers/container.ts';
import type { Call } from '../call.ts';
import { formatListing } from '../format.ts';
import { harmlessLine } from '../sanitize.ts';
import { ago, goTime, humanDuration } from '../units.ts';

interface Flags {
  all?: boolean;
  format?: string;
  trunc: boolean;
  quiet?: boolean;
  latest?: boolean;
}

const shownCommand = 20;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS]')
    .option('-a, --all', 'Also containers that have ended')
    .option('--format <template>', "'table', 'table TEMPLATE', 'json' or a Go template")
    .option('-l, --latest', 'The newest container only, whatever its state')
    .option('--no-trunc', "Don't truncate")
    .option('-q, --quiet', 'Show container IDs only')
    .addHelpText('after', "\nFields: .ID .Image .Command .CreatedAt .RunningFor .Status .State .Names\n\nExamples:\n  siru ps -a\n  siru rm $(siru ps -aq)");
}

export async function run(call: Call, _operands: string[], flags: Flags): Promise<void> {
  const all = listContainers(await call.store());
  const rows = flags.latest ? all.slice(0, 1) : flags.all ? all : all.filter(({ status }) => status === 'running');
  const now = Date.now();
  call.print(formatListing<Container>({
    rows,
    fields: [
      { name: 'ID', heading: 'CONTAINER ID', of: ({ id }) => (flags.trunc ? id.slice(0, 12) : id) },
      { name: 'Image', heading: 'IMAGE', of: ({ imageName }) => harmlessLine(imageName) },
      { name: 'Command', heading: 'COMMAND', of: ({ command }) => `"${shortened(harmlessLine(command.join(' ')), flags.trunc)}"` },
      { name: 'CreatedAt', heading: 'CREATED AT', of: ({ created }) => goTime(Date.parse(created)) },
      { name: 'RunningFor', heading: 'CREATED', of: ({ created }) => ago(Date.parse(created), now) },
      { name: 'Status', heading: 'STATUS', of: (container) => statusOf(container, now) },
      { name: 'State', heading: 'STATE', of: ({ status }) => status },
      { name: 'Ports', heading: 'PORTS', of: () => '' },
      { name: 'Names', heading: 'NAMES', of: ({ name }) => name },
    ],
    columns: ['ID', 'Image', 'Command', 'RunningFor', 'Status', 'Ports', 'Names'],
    key: 'ID',
  }, flags.format, flags.quiet));
}

function statusOf({ status, created, exitCode, finished }: Container, now: number): string {
  if (status === 'created') return 'Created';
  if (status === 'running') return `Up ${humanDuration(now - Date.parse(created))}`;
  return `Exited (${exitCode ?? 0})${finished === undefined ? '' : ` ${ago(Date.parse(finished), now)}`}`;
}

function shortened(text: string, shorten: boolean): string {
  return shorten && text.length > shownCommand ? `${text.slice(0, shownCommand - 1)}…` : text;
}
