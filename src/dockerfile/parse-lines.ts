/**
 * From text to one node per instruction: physical lines are joined, comments dropped, flags taken off, arguments split as
 * the instruction wants it, heredocs attached. What the arguments mean is not looked at.
 */
import { readDirectives, type Directive } from './directives.ts';
import { DockerfileError, fault, parsePrefix, withPlace, type SourceText } from './errors.ts';
import { heredocWords, type HeredocWord } from './heredoc.ts';
import type { Heredoc, Lines } from './instruction.ts';
import { cutAtWhiteSpace, parseJsonStrings, splitQuoted, splitWhiteSpace, takeFlags } from './words.ts';

/** Longest physical line in bytes. */
export const maxLineBytes = 65_535;
/** Most instructions of a file. */
export const maxInstructions = 10_000;
/** Most words of an instruction; one pair of ENV or LABEL counts as three. */
export const maxWords = 30_000;
/** Most `--name=value` words of an instruction. */
export const maxFlags = 1000;

/** One instruction, split but not understood. */
export interface Node {
  /** Lower case. */
  cmd: string;
  /** As written. */
  keyword: string;
  flags: string[];
  /** As the instruction's own grammar splits them; for ENV and LABEL key, value and `=` (or '' for the old form) in turn. */
  args: string[];
  /** True for exec form. */
  json: boolean;
  /** All that follows the flags. */
  rest: string;
  /** The instruction that ONBUILD keeps. */
  sub?: Node;
  /** Bodies as written, tabs included. */
  heredocs: Heredoc[];
  lines: Lines;
  /** The joined line; white space at the joins is kept, as RUN's shell gets it. */
  original: string;
  /** The joined line for people: white space at each join is one space. */
  source: string;
  comments: string[];
}

export interface ParsedLines {
  nodes: Node[];
  escape: '\\' | '`';
  directives: Directive[];
  warnings: { rule: string; text: string; line: number }[];
}

/** Throws DOCKERFILE with the place. */
export function parseLines(source: SourceText): ParsedLines {
  const reader = createReader(source);
  const directives = readDirectives(source.text, '#', (line, message) => parseError(source, { start: line, end: line }, message));
  const escape = escapeOf(source, directives);
  const warnings: ParsedLines['warnings'] = [];
  const nodes: Node[] = [];
  let comments: string[] = [];
  for (let line = reader.next(); line !== undefined; line = reader.next()) {
    const text = trimLineEnd(line).trimStart();
    if (text === '') {
      comments = [];
      continue;
    }
    if (text.startsWith('#')) {
      const comment = text.slice(1).trim();
      if (comment === '') comments = [];
      else if (!directives.some(({ line: of }) => of === reader.number)) comments.push(comment);
      continue;
    }
    const start = reader.number;
    const joined = joinLines(reader, text, escape);
    if (joined.original === '') continue;
    const lines: Lines = { start, end: reader.number };
    try {
      const node = createNode(joined.original, escape);
      node.comments = comments;
      node.source = joined.source;
      const words = heredocWordsOf(node);
      if (words.length > 0) node.heredocs = readHeredocs(reader, words, source, start);
      lines.end = reader.number;
      node.lines = lines;
      if (nodes.length === maxInstructions) throw fault(`the file has more than ${maxInstructions} instructions`, 'Split it into several Dockerfiles.');
      nodes.push(node);
    } catch (error) {
      throw withPlace(error, source, lines, parsePrefix(lines));
    }
    if (joined.empty) {
      warnings.push({ rule: 'NoEmptyContinuation', text: `Empty continuation line found in: ${joined.original}`, line: joined.end });
    }
    comments = [];
  }
  if (nodes.length === 0) {
    const end = reader.number > 0 ? { start: reader.number, end: reader.number } : undefined;
    throw new DockerfileError(source, end, 'file with no instructions', { hint: `${source.name} needs at least a FROM.` });
  }
  return { nodes, escape, directives, warnings };
}

function parseError(source: SourceText, lines: Lines, message: string, hint?: string): DockerfileError {
  return new DockerfileError(source, lines, message, { hint, prefix: parsePrefix(lines) });
}

interface Reader {
  /** The next physical line with its line end; undefined at the end. */
  next(): string | undefined;
  /** 1-based number of the line read last. */
  number: number;
}

function createReader(source: SourceText): Reader {
  const { text } = source;
  let at = text.startsWith('\ufeff') ? 1 : 0;
  const reader: Reader = {
    number: 0,
    next() {
      if (at >= text.length) return undefined;
      const newline = text.indexOf('\n', at);
      const line = text.slice(at, newline < 0 ? undefined : newline + 1);
      at += line.length;
      reader.number++;
      // A UTF-16 unit has at most three bytes in UTF-8.
      if (line.length * 3 > maxLineBytes && Buffer.byteLength(line) - (newline < 0 ? 0 : 1) > maxLineBytes) {
        const place = { start: reader.number, end: reader.number };
        throw parseError(source, place, `dockerfile line greater than max allowed size of ${maxLineBytes}`, 'Break the line with the escape character, or use a heredoc.');
      }
      return line;
    },
  };
  return reader;
}

function escapeOf(source: SourceText, directives: Directive[]): '\\' | '`' {
  const directive = directives.find(({ name }) => name === 'escape');
  if (!directive) return '\\';
  const { value, line } = directive;
  if (value === '\\' || value === '`') return value;
  throw parseError(source, { start: line, end: line }, `invalid escape token '${value.slice(0, 100)}' does not match \` or \\`);
}

function trimLineEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === '\n' || line[end - 1] === '\r')) end--;
  return line.slice(0, end);
}

interface Joined {
  original: string;
  source: string;
  /** There was an empty line among the continuations. */
  empty: boolean;
  /** Number of the last line, before heredocs. */
  end: number;
}

/** Reads on for as long as lines end with the escape character. */
function joinLines(reader: Reader, first: string, escape: string): Joined {
  let [part, ends] = trimContinuation(first, escape);
  const originals = [part];
  const sources = [part.trimEnd()];
  let gap = part !== part.trimEnd();
  let empty = false;
  while (!ends) {
    const line = reader.next();
    if (line === undefined) break;
    const text = trimLineEnd(line);
    const content = text.trim();
    if (content.startsWith('#')) continue;
    if (content === '') {
      empty = true;
      continue;
    }
    [part, ends] = trimContinuation(text, escape);
    originals.push(part);
    const shown = part.trim();
    gap ||= part !== part.trimStart();
    if (shown !== '') {
      sources.push(gap && sources.at(-1) !== '' ? ' ' : '', shown);
      gap = false;
    }
    gap ||= part !== part.trimEnd();
  }
  return { original: originals.join(''), source: sources.join(''), empty, end: reader.number };
}

/** Takes the escape character off the end of a line that goes on, unless it is itself escaped. */
function trimContinuation(line: string, escape: string): [text: string, ends: boolean] {
  let end = line.length;
  while (end > 0 && (line[end - 1] === ' ' || line[end - 1] === '\t')) end--;
  return line[end - 1] === escape && line[end - 2] !== escape ? [line.slice(0, end - 1), false] : [line, true];
}

/** Splits a joined line. Throws DOCKERFILE without a place. Lines, source and comments are the caller's to fill in. */
export function createNode(line: string, escape: string, nested = false): Node {
  const [keyword, tail = ''] = cutAtWhiteSpace(line.trim());
  const { flags, rest } = takeFlags(tail);
  const cmd = keyword.toLowerCase();
  const node: Node = { cmd, keyword, flags, args: [], json: false, rest, heredocs: [], lines: { start: 0, end: 0 }, original: line, source: line.trim(), comments: [] };
  switch (cmd) {
    case 'from': case 'expose':
      node.args = splitWhiteSpace(rest);
      break;
    case 'maintainer': case 'stopsignal': case 'user': case 'workdir':
      node.args = rest === '' ? [] : [rest];
      break;
    case 'arg':
      node.args = splitQuoted(rest, escape);
      break;
    case 'env': case 'label':
      node.args = splitPairs(rest, cmd.toUpperCase(), escape);
      break;
    case 'add': case 'copy': case 'volume':
      setArgs(node, rest, splitWhiteSpace);
      break;
    case 'run': case 'cmd': case 'entrypoint': case 'shell':
      setArgs(node, rest, (text) => (text === '' ? [] : [text]));
      break;
    case 'healthcheck': {
      const [type, command = ''] = cutAtWhiteSpace(rest);
      setArgs(node, command, (text) => (text === '' ? [] : [text]));
      if (type !== '') node.args.unshift(type);
      break;
    }
    case 'onbuild':
      // What ONBUILD ONBUILD keeps is never used: it is refused.
      if (rest !== '' && !nested) node.sub = createNode(rest, escape, true);
  }
  if (node.args.length > maxWords) throw fault(`${cmd.toUpperCase()} has more than ${maxWords} words`, 'Make several instructions of it.');
  if (flags.length > maxFlags) throw fault(`${cmd.toUpperCase()} has more than ${maxFlags} flags`);
  return node;
}

function setArgs(node: Node, rest: string, split: (text: string) => string[]): void {
  const strings = parseJsonStrings(rest);
  node.json = strings !== undefined;
  node.args = strings ?? split(rest);
}

function splitPairs(rest: string, command: string, escape: string): string[] {
  const words = splitQuoted(rest, escape);
  if (words.length === 0) return [];
  if (!words[0]!.includes('=')) {
    const [key, value] = cutAtWhiteSpace(rest);
    if (value === undefined) throw fault(`${command} must have two arguments`, `Write ${command} ${key.slice(0, 100)}=value`);
    return [key, value, ''];
  }
  return words.flatMap((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) {
      throw fault(`Syntax error - can't find = in ${JSON.stringify(word.slice(0, 200))}. Must be of the form: name=value`, 'A value with spaces needs quotes.');
    }
    return [word.slice(0, equals), word.slice(equals + 1), '='];
  });
}

function heredocWordsOf(node: Node): HeredocWord[] {
  const { cmd, json } = node.sub ?? node;
  if (json || !/^(?:run|copy|add)$/.test(cmd) || !node.original.includes('<<')) return [];
  return heredocWords(node.original).flatMap(({ heredoc }) => heredoc ?? []);
}

function readHeredocs(reader: Reader, words: HeredocWord[], source: SourceText, start: number): Heredoc[] {
  return words.map((word) => {
    const parts: string[] = [];
    for (let line = reader.next(); line !== undefined; line = reader.next()) {
      const text = trimLineEnd(line);
      if ((word.chomp ? text.replace(/^\t+/, '') : text) === word.name) return { ...word, content: parts.join('') };
      parts.push(line);
    }
    throw parseError(source, { start, end: start }, `unterminated heredoc: no line with just ${JSON.stringify(word.name.slice(0, 100))} follows`, `The line that ends a heredoc holds the word alone${word.chomp ? ', tabs before it allowed' : ', with no spaces before it'}.`);
  });
}
