/** RUN and its options. */
import { fault } from '../errors.ts';
import { readFlags } from '../flags.ts';
import type { InstructionOf, RunMountOption } from '../instruction.ts';
import type { Node } from '../parse-lines.ts';
import { didYouMean } from '../suggest.ts';
import { splitCsv } from '../words.ts';
import { commandLine } from './command.ts';
import type { Bare } from './bare.ts';

export const mountTypes: readonly string[] = ['bind', 'cache', 'tmpfs', 'secret', 'ssh'];
const networks = ['default', 'none', 'host'];
const securities = ['sandbox', 'insecure'];

/** For each key the types of mount that take it; all of them where the list is missing. */
const mountKeys: Record<string, string[] | undefined> = {
  type: undefined,
  from: ['bind', 'cache', 'tmpfs', 'ssh'],
  source: undefined, src: undefined,
  target: undefined, dst: undefined, destination: undefined,
  readonly: undefined, ro: undefined, readwrite: undefined, rw: undefined,
  id: undefined,
  sharing: ['cache'],
  required: ['secret', 'ssh'],
  size: ['tmpfs'],
  mode: ['cache', 'secret', 'ssh'], uid: ['cache', 'secret', 'ssh'], gid: ['cache', 'secret', 'ssh'],
  env: ['secret'],
};
const bareKeys = new Set(['readonly', 'ro', 'readwrite', 'rw', 'required']);

export function parseRun(node: Node): Bare<InstructionOf<'run'>> {
  const flags = readFlags(node, { mount: 'list', network: 'text', security: 'text', device: 'list' });
  if (node.json && node.args.length === 0) throw fault('RUN requires at least one argument');
  const run: Bare<InstructionOf<'run'>> = {
    kind: 'run',
    command: commandLine(node, node.args),
    mounts: flags.list('mount').map(parseMount),
    devices: flags.list('device'),
  };
  const network = oneOf(flags.text('network'), networks, 'network mode');
  if (network !== undefined) run.network = network;
  const security = oneOf(flags.text('security'), securities, 'security mode');
  if (security !== undefined) run.security = security;
  return run;
}

function oneOf(value: string | undefined, known: string[], what: string): string | undefined {
  if (value === undefined || known.includes(value)) return value;
  throw fault(`unsupported ${what} ${JSON.stringify(value.slice(0, 100))}${didYouMean(value, known)}`, `Known are ${known.join(', ')}.`);
}

/** The options of one mount, keys in lower case, values as written. Throws DOCKERFILE for keys and types that do not exist. */
export function parseMount(text: string): RunMountOption[] {
  const options = splitCsv(text).map((field): RunMountOption => {
    const equals = field.indexOf('=');
    const key = (equals < 0 ? field : field.slice(0, equals)).toLowerCase();
    if (!Object.hasOwn(mountKeys, key)) {
      throw fault(`unexpected key ${JSON.stringify(key.slice(0, 100))} in ${JSON.stringify(field.slice(0, 200))}${didYouMean(key, Object.keys(mountKeys))}`, `Keys of --mount are ${Object.keys(mountKeys).join(', ')}.`);
    }
    if (equals >= 0) return { key, value: field.slice(equals + 1) };
    if (!bareKeys.has(key)) throw fault(`invalid field ${JSON.stringify(key)} must be a key=value pair`);
    return { key };
  });
  const type = (options.findLast(({ key }) => key === 'type')?.value ?? 'bind').toLowerCase();
  // A variable may give the type; the plan checks it again when its value is known.
  if (type.includes('$')) return options;
  if (!mountTypes.includes(type)) {
    throw fault(`unsupported mount type ${JSON.stringify(type.slice(0, 100))}${didYouMean(type, mountTypes)}`, `Known are ${mountTypes.join(', ')}.`);
  }
  for (const { key, value } of options) {
    if (mountKeys[key]?.includes(type) === false) throw fault(`unexpected key '${key}' for mount type '${type}'`, `Only ${mountKeys[key].join(', ')} mounts have it.`);
    if (key === 'from' && /\$./.test(value ?? '')) {
      throw fault(`'from' doesn't support variable expansion, define alias stage instead`, 'Write FROM ${VARIABLE} AS name above, and from=name here.');
    }
  }
  return options;
}
