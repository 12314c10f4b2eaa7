/** CMD, ENTRYPOINT and SHELL, and the command lines they share with RUN and HEALTHCHECK. */
import { fault } from '../errors.ts';
import { readFlags } from '../flags.ts';
import type { CommandLine, InstructionOf } from '../instruction.ts';
import type { Node } from '../parse-lines.ts';
import { wantAtLeastOne } from './arguments.ts';
import type { Bare } from './bare.ts';

/** Exec form from a JSON array, else the text for the shell. */
export function commandLine(node: Node, args: string[]): CommandLine {
  return node.json ? { form: 'exec', args } : { form: 'shell', text: args[0] ?? '', heredocs: node.heredocs };
}

export function parseCmd(node: Node): Bare<InstructionOf<'cmd'>> {
  readFlags(node);
  return { kind: 'cmd', command: commandLine(node, node.args) };
}

export function parseEntrypoint(node: Node): Bare<InstructionOf<'entrypoint'>> {
  readFlags(node);
  return { kind: 'entrypoint', command: commandLine(node, node.args) };
}

export function parseShell(node: Node): Bare<InstructionOf<'shell'>> {
  readFlags(node);
  const args = wantAtLeastOne(node);
  if (!node.json) throw fault('SHELL requires the arguments to be in JSON form', 'Write SHELL ["/bin/sh", "-c"], with double quotes.');
  return { kind: 'shell', args };
}
