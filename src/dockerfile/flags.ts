/** The `--name=value` words of an instruction. */
import { fault } from './errors.ts';
import type { Node } from './parse-lines.ts';
import { nearest } from './suggest.ts';

export interface FlagValues {
  text(name: string): string | undefined;
  list(name: string): string[];
  boolean(name: string): boolean | undefined;
}

/** Checks the flags of an instruction against those it has: each may be given once, a list any number of times. Throws DOCKERFILE. */
export function readFlags(node: Node, known: Record<string, 'text' | 'boolean' | 'list'> = {}): FlagValues {
  const given = new Map<string, string[]>();
  for (const flag of node.flags) {
    const equals = flag.indexOf('=');
    const name = flag.slice(2, equals < 0 ? undefined : equals);
    const type = Object.hasOwn(known, name) ? known[name] : undefined;
    if (type === undefined) throw unknownFlag(node, name, Object.keys(known));
    const value = equals < 0 ? undefined : flag.slice(equals + 1);
    if (value === undefined ? type !== 'boolean' : type === 'boolean' && value === '') throw fault(`missing a value on flag: --${name}`);
    if (type === 'boolean' && value !== undefined && !/^(?:true|false)$/i.test(value)) {
      throw fault(`expecting boolean value for flag --${name}, not: ${value.slice(0, 100)}`);
    }
    const values = given.get(name);
    if (values && type !== 'list') throw fault(`duplicate flag specified: --${name}`);
    if (values) values.push(value ?? '');
    else given.set(name, [value ?? '']);
  }
  return {
    text: (name) => given.get(name)?.[0],
    list: (name) => given.get(name) ?? [],
    boolean: (name) => {
      const value = given.get(name)?.[0];
      return value === undefined ? undefined : value.toLowerCase() !== 'false';
    },
  };
}

function unknownFlag(node: Node, name: string, known: string[]): Error {
  const near = nearest(name, known);
  const hint = known.length === 0
    ? `${node.cmd.toUpperCase()} has no flags. An argument that begins with -- needs a word -- before it.`
    : `${node.cmd.toUpperCase()} has ${known.map((flag) => `--${flag}`).join(', ')}.`;
  return fault(`unknown flag: --${name.slice(0, 100)}${near === undefined ? '' : ` (did you mean --${near}?)`}`, hint);
}
