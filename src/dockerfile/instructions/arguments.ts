/** The counts of arguments that instructions want, with the reference builder's words. */
import { fault } from '../errors.ts';
import type { Node } from '../parse-lines.ts';

export function commandName(node: Node): string {
  return node.cmd.toUpperCase();
}

export function wantAtLeastOne(node: Node): string[] {
  if (node.args.length === 0) throw fault(`${commandName(node)} requires at least one argument`);
  return node.args;
}

export function wantExactlyOne(node: Node): string {
  if (node.args.length !== 1) throw fault(`${commandName(node)} requires exactly one argument`);
  return node.args[0]!;
}

export function blankName(node: Node): Error {
  return fault(`${commandName(node)} names can not be blank`, `Write ${commandName(node)} NAME=value; no space before the =.`);
}
