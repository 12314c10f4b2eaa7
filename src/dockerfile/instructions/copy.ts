/** COPY and ADD. */
import { fault } from '../errors.ts';
import { readFlags, type FlagValues } from '../flags.ts';
import { parseHeredocWord } from '../heredoc.ts';
import type { InstructionOf } from '../instruction.ts';
import type { Node } from '../parse-lines.ts';
import { commandName } from './arguments.ts';
import type { Bare } from './bare.ts';

const common = { chown: 'text', chmod: 'text', link: 'boolean', exclude: 'list' } as const;

export function parseCopy(node: Node): Bare<InstructionOf<'copy'>> {
  const flags = readFlags(node, { from: 'text', ...common, parents: 'boolean' });
  const copy: Bare<InstructionOf<'copy'>> = { kind: 'copy', parents: flags.boolean('parents') ?? false, ...parseCommon(node, flags) };
  const from = flags.text('from');
  if (from !== undefined) copy.from = from;
  return copy;
}

export function parseAdd(node: Node): Bare<InstructionOf<'add'>> {
  const flags = readFlags(node, { ...common, 'keep-git-dir': 'boolean', checksum: 'text', unpack: 'boolean' });
  const add: Bare<InstructionOf<'add'>> = { kind: 'add', ...parseCommon(node, flags) };
  const keepGitDir = flags.boolean('keep-git-dir');
  if (keepGitDir !== undefined) add.keepGitDir = keepGitDir;
  const checksum = flags.text('checksum');
  if (checksum !== undefined) add.checksum = checksum;
  const unpack = flags.boolean('unpack');
  if (unpack !== undefined) add.unpack = unpack;
  return add;
}

type CopyCommon = Pick<InstructionOf<'copy'>, 'sources' | 'heredocs' | 'destination' | 'chown' | 'chmod' | 'link' | 'exclude'>;

function parseCommon(node: Node, flags: FlagValues): CopyCommon {
  const command = commandName(node);
  if (node.args.length < 2) {
    const provided = node.args.length === 0 ? 'none' : 'only one';
    throw fault(`${command} requires at least two arguments, but ${provided} was provided. Destination could not be determined`, `Write ${command} source... destination.`);
  }
  const destination = node.args.at(-1)!;
  const misplaced = parseHeredocWord(destination);
  if (misplaced) throw fault(`${command} cannot accept a heredoc as a destination`, `Write ${command} <<${misplaced.name} destination.`);
  // Words fall apart at white space also within quotes here, and in JSON form they may name a heredoc that has no body.
  const words = node.args.slice(0, -1).map((text) => ({ text, heredoc: parseHeredocWord(text) }));
  const bodies = new Map(node.heredocs.map(({ name, content }) => [name, content]));
  const result: CopyCommon = {
    sources: words.filter((word) => !word.heredoc).map(({ text }) => text),
    heredocs: words.flatMap(({ heredoc }) => (heredoc ? [{ ...heredoc, content: bodies.get(heredoc.name) ?? '' }] : [])),
    destination,
    link: flags.boolean('link') ?? false,
    exclude: flags.list('exclude'),
  };
  const chown = flags.text('chown');
  if (chown !== undefined) result.chown = chown;
  const chmod = flags.text('chmod');
  if (chmod !== undefined) result.chmod = chmod;
  return result;
}
