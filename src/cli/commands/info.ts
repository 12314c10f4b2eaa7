/** `siru info` */
import type { Command } from 'commander';
import type { Call } from '../call.ts';

export function configure(command: Command): void {
  command.addHelpText('after', '\nExamples:\n  siru info');
}

export async function run(_call: Call): Promise<void> {}
