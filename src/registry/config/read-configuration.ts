/** Reading a configuration file: YAML, checked against its shape; an error tells the line and the column. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Document, Node } from 'yaml';
import { SiruError, messageOf } from '../../base/errors.ts';
import { parseDuration, parseSize } from '../../base/parse-units.ts';
import { didYouMean } from '../../dockerfile/suggest.ts';
import { configurationShape } from './configuration.ts';
import type { Configuration } from './configuration.ts';
import type { GroupShape, ListShape, MapShape, Shape } from './shape.ts';

/** Bytes of a configuration file. */
const largestFile = 1024 * 1024;

/** Throws CONFIG. */
export function readConfiguration(path: string): Configuration {
  let text: string;
  try {
    if (statSync(path).size > largestFile) throw new Error('it is larger than 1 MiB');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new SiruError('CONFIG', `cannot read the configuration file ${path}: ${messageOf(error)}`, { cause: error });
  }
  return parseConfiguration(text, path);
}

/** `path` names the file in errors, and relative paths are below its folder. Throws CONFIG. */
export function parseConfiguration(text: string, path: string): Configuration {
  return parseByShape(text, path, configurationShape) as Configuration;
}

/** The same for any shape. Throws CONFIG. */
export function parseByShape(text: string, path: string, shape: Shape): unknown {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const reader: Reader = {
    document,
    folder: dirname(resolve(path)),
    fail: (offset, why, hint) => {
      const { line, col } = lines.linePos(offset);
      return new SiruError('CONFIG', `${path}:${line}:${col}: ${why}`, { hint });
    },
  };
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem) throw reader.fail(problem.pos[0], problem.message);
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) return {};
  return readValue(reader, document.contents, shape, '');
}

interface Reader {
  document: Document;
  folder: string;
  fail: (offset: number, why: string, hint?: string) => SiruError;
}

function readValue(reader: Reader, given: unknown, shape: Shape, key: string): unknown {
  const node = isAlias(given) ? given.resolve(reader.document) : (given as Node | null | undefined);
  const offset = ((given as Node | null)?.range ?? [0])[0];
  const fail = (why: string, hint?: string): SiruError => reader.fail(offset, `${key === '' ? 'the file' : key} ${why}`, hint);
  if (shape.type === 'group') return readGroup(reader, node, shape, key, fail);
  if (shape.type === 'map') return readMap(reader, node, shape, key, fail);
  if (shape.type === 'list') return readList(reader, node, shape, key);
  if (!isScalar(node)) throw fail(`is ${nameOf(node)}, not ${wanted[shape.type]}`);
  const { value } = node;
  const wrong = (): SiruError => fail(`is ${show(value)}, not ${wanted[shape.type]}`);
  switch (shape.type) {
    case 'flag':
      if (typeof value !== 'boolean') throw wrong();
      return value;
    case 'number':
      if (typeof value !== 'number' || !Number.isFinite(value)) throw wrong();
      if (value < shape.least || value > shape.most) throw fail(`is ${value}, not from ${shape.least} to ${shape.most}`);
      return value;
    case 'duration':
    case 'size': {
      const text = typeof value === 'number' ? String(value) : value;
      const number = typeof text !== 'string' ? undefined : shape.type === 'size' ? parseSize(text) : parseDuration(text);
      if (number === undefined) throw wrong();
      return number;
    }
    case 'path':
    case 'text': {
      // `5000` and `1.0` are texts where a text is wanted: as they were written.
      const text = typeof value === 'string' ? value : typeof value === 'number' ? (node.source ?? String(value)) : undefined;
      if (text === undefined || text === '') throw wrong();
      if (shape.type === 'path') return resolve(reader.folder, text);
      if (shape.oneOf && !shape.oneOf.includes(text)) throw fail(`is ${show(text)}, not one of ${shape.oneOf.join(', ')}${didYouMean(text, shape.oneOf)}`);
      const fault = shape.check?.(text);
      if (fault !== undefined) throw fail(`${show(text)} ${fault}`);
      return text;
    }
  }
}

type Fail = (why: string, hint?: string) => SiruError;

function readGroup(reader: Reader, node: Node | null | undefined, { members, required = [] }: GroupShape, key: string, fail: Fail): object {
  if (!isMap(node)) throw fail(`is ${nameOf(node)}, not a group of keys`);
  const result: Record<string, unknown> = {};
  for (const pair of node.items) {
    const name = nameOfKey(pair.key);
    const full = key === '' ? name : `${key}.${name}`;
    const member = Object.hasOwn(members, name) ? members[name] : undefined;
    if (member === undefined) {
      throw reader.fail(((pair.key as Node).range ?? [0])[0], `unknown key ${show(full)}${didYouMean(name, Object.keys(members))}`, `Possible here: ${Object.keys(members).join(', ')}.`);
    }
    result[name] = readValue(reader, pair.value ?? pair.key, member, full);
  }
  const absent = required.find((name) => !Object.hasOwn(result, name));
  if (absent !== undefined) throw fail(`has no ${absent}`);
  return result;
}

function readMap(reader: Reader, node: Node | null | undefined, { of }: MapShape, key: string, fail: Fail): object {
  if (!isMap(node)) throw fail(`is ${nameOf(node)}, not a group of keys`);
  return Object.fromEntries(node.items.map((pair) => {
    const name = nameOfKey(pair.key);
    return [name, readValue(reader, pair.value ?? pair.key, of, `${key}.${name}`)];
  }));
}

function readList(reader: Reader, node: Node | null | undefined, { of }: ListShape, key: string): unknown[] {
  return isSeq(node) ? node.items.map((item, position) => readValue(reader, item, of, `${key}[${position}]`)) : [readValue(reader, node, of, key)];
}

const wanted = {
  flag: 'true or false',
  number: 'a number',
  duration: 'a duration like 90s, 24h or 7d',
  size: 'a size like 512MiB or 10GB',
  path: 'a path',
  text: 'a text',
};

function nameOfKey(key: unknown): string {
  return isScalar(key) ? String(key.value) : 'a key that is no text';
}

function nameOf(node: unknown): string {
  return isMap(node) ? 'a group of keys' : isSeq(node) ? 'a list' : isScalar(node) ? show(node.value) : 'nothing';
}

function show(value: unknown): string {
  return value === null ? 'empty' : JSON.stringify(value).slice(0, 200);
}
