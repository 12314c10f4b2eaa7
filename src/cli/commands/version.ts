/** `siru version` */
import type { Command } from 'commander';
import type { Call } from '../call.ts';
import { formatObjects } from '../format.ts';
import { version } from '../../base/version.ts';
import { asStruct } from '../template/value.ts';

interface Flags {
  format?: string;
}

export function configure(command: Command): void {
  command
    .option('-f, --format <template>', "'json' or a Go template")
    .addHelpText('after', "\nExamples:\n  siru version\n  siru version --format '{{.Version}}'");
}

export async function run(call: Call, _operands: string[], { format }: Flags): Promise<void> {
  const facts = { Version: version(), Node: process.versions.node, Os: process.platform === 'win32' ? 'windows' : process.platform, Arch: process.arch === 'x64' ? 'amd64' : process.arch };
  if (format === 'json') call.print(`${JSON.stringify(facts)}\n`);
  else if (format !== undefined) call.print(formatObjects([asStruct(facts)], format));
  else call.print(`siru ${facts.Version}\n Node:     ${facts.Node}\n OS/Arch:  ${facts.Os}/${facts.Arch}\n`);
}
