/** From the node of an instruction to the instruction itself. */
import { SiruError } from '../base/errors.ts';
import { fault, withPlace, parsePrefix, type SourceText } from './errors.ts';
import type { Instruction } from './instruction.ts';
import type { Bare } from './instructions/bare.ts';
import { parseCmd, parseEntrypoint, parseShell } from './instructions/command.ts';
import { parseAdd, parseCopy } from './instructions/copy.ts';
import { parseFrom } from './instructions/from.ts';
import { parseHealthcheck } from './instructions/healthcheck.ts';
import { parseExpose, parseMaintainer, parseStopsignal, parseUser, parseVolume, parseWorkdir } from './instructions/metadata.ts';
import { parseOnbuild } from './instructions/onbuild.ts';
import { parseRun } from './instructions/run.ts';
import { parseArg, parseEnv, parseLabel } from './instructions/variables.ts';
import { parseLines, type Node } from './parse-lines.ts';
import { nearest } from './suggest.ts';

const parsers: Record<Exclude<Instruction['kind'], 'onbuild'>, (node: Node) => Bare> = {
  add: parseAdd,
  arg: parseArg,
  cmd: parseCmd,
  copy: parseCopy,
  entrypoint: parseEntrypoint,
  env: parseEnv,
  expose: parseExpose,
  from: parseFrom,
  healthcheck: parseHealthcheck,
  label: parseLabel,
  maintainer: parseMaintainer,
  run: parseRun,
  shell: parseShell,
  stopsignal: parseStopsignal,
  user: parseUser,
  volume: parseVolume,
  workdir: parseWorkdir,
};

/** Upper-case names of all instructions. */
export function instructionNames(): string[] {
  return [...Object.keys(parsers), 'onbuild'].map((name) => name.toUpperCase()).sort();
}

/** Throws DOCKERFILE without a place. */
export function parseNode(node: Node): Instruction {
  const { lines, source, comments } = node;
  return { ...parseBare(node), lines, source, comments } as Instruction;
}

function parseBare(node: Node): Bare {
  if (node.cmd === 'onbuild') {
    const { expression, trigger } = parseOnbuild(node);
    try {
      return { kind: 'onbuild', expression, instruction: parseNode(trigger) };
    } catch (error) {
      if (!(error instanceof SiruError)) throw error;
      return { kind: 'onbuild', expression };
    }
  }
  if (Object.hasOwn(parsers, node.cmd)) return parsers[node.cmd as keyof typeof parsers](node);
  const near = nearest(node.cmd, instructionNames());
  throw fault(`unknown instruction: ${node.keyword.slice(0, 100)}${near === undefined ? '' : ` (did you mean ${near}?)`}`, near === undefined ? 'A line that belongs to the instruction above needs the escape character (\\) at the end of the line before it.' : undefined);
}

/**
 * Reads one instruction that stands alone, as the triggers of ONBUILD in an image's configuration do. Throws DOCKERFILE with
 * an excerpt of that text; `name` says where it is from.
 */
export function parseTrigger(expression: string, name: string): Instruction {
  const source: SourceText = { name, text: expression };
  const { nodes: [node, more] } = parseLines(source);
  try {
    if (more) throw fault('an ONBUILD trigger is one instruction, this has more');
    if (/^(?:onbuild|from|maintainer)$/.test(node!.cmd)) throw fault(`${node!.cmd.toUpperCase()} isn't allowed as an ONBUILD trigger`);
    return parseNode(node!);
  } catch (error) {
    const { lines } = more ?? node!;
    throw withPlace(error, source, lines, parsePrefix(lines));
  }
}
