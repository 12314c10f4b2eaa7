/** Functions that templates may call: Go's own and those that docker adds. */
import { goPrintf } from './printf.ts';
import { isMap, isTrue, printValue, typeOf } from './value.ts';

/** Throws an Error with what is wrong; the evaluator adds the position. */
export type TemplateFunction = (...values: unknown[]) => unknown;

const text = (value: unknown): string => {
  if (typeof value === 'string') return value;
  throw new Error(`wants a string, not ${typeOf(value)}`);
};
const whole = (value: unknown): number => {
  if (typeof value === 'number' && Number.isInteger(value)) return value;
  throw new Error(`wants a whole number, not ${typeOf(value)}`);
};

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : a > b ? 1 : 0;
  throw new Error(`cannot compare ${typeOf(a)} with ${typeOf(b)}`);
}

function equal(a: unknown, b: unknown): boolean {
  const left = a ?? null;
  const right = b ?? null;
  if (typeof left === 'object' && left !== null) throw new Error(`cannot compare ${typeOf(left)}`);
  if (left !== null && right !== null && typeof left !== typeof right) throw new Error(`cannot compare ${typeOf(left)} with ${typeOf(right)}`);
  return left === right;
}

function index(value: unknown, ...keys: unknown[]): unknown {
  let at = value;
  for (const key of keys) {
    if (Array.isArray(at) || typeof at === 'string') {
      const position = whole(key);
      if (position < 0 || position >= at.length) throw new Error(`index out of range: ${position}`);
      at = typeof at === 'string' ? at.charCodeAt(position) : (at as unknown[])[position];
    } else if (isMap(at)) {
      const name = text(key);
      at = Object.hasOwn(at, name) ? at[name] : undefined;
    } else {
      throw new Error(`cannot index ${typeOf(at)}`);
    }
  }
  return at;
}

function slice(value: unknown, from: unknown = 0, to?: unknown): unknown {
  if (!Array.isArray(value) && typeof value !== 'string') throw new Error(`cannot slice ${typeOf(value)}`);
  const start = whole(from);
  const end = to === undefined ? value.length : whole(to);
  if (start < 0 || end > value.length || start > end) throw new Error(`slice out of range: ${start}:${end}`);
  return value.slice(start, end);
}

/** Go's `fmt.Sprint`: a space between operands when neither is a string. */
function print(...values: unknown[]): string {
  return values.map((value, position) => {
    const gap = position > 0 && typeof value !== 'string' && typeof values[position - 1] !== 'string';
    return (gap ? ' ' : '') + printValue(value, false);
  }).join('');
}

/** `and` and `or` are the evaluator's, since they stop early. */
export const functions: Record<string, TemplateFunction> = {
  not: (value) => !isTrue(value),
  eq: (first, ...others) => {
    if (others.length === 0) throw new Error('wants two values');
    return others.some((other) => equal(first, other));
  },
  ne: (a, b) => !equal(a, b),
  lt: (a, b) => compare(a, b) < 0,
  le: (a, b) => compare(a, b) <= 0,
  gt: (a, b) => compare(a, b) > 0,
  ge: (a, b) => compare(a, b) >= 0,
  len: (value) => {
    if (typeof value === 'string') return Buffer.byteLength(value);
    if (Array.isArray(value)) return value.length;
    if (isMap(value)) return Object.keys(value).length;
    throw new Error(`${typeOf(value)} has no length`);
  },
  index,
  slice,
  print,
  println: (...values) => `${values.map((value) => printValue(value, false)).join(' ')}\n`,
  printf: (format, ...values) => goPrintf(text(format), values),
  json: (value) => JSON.stringify(value ?? null),
  join: (list, separator) => {
    if (list === null || list === undefined) return '';
    if (!Array.isArray(list)) throw new Error(`wants a list, not ${typeOf(list)}`);
    return list.map((item) => printValue(item, false)).join(text(separator));
  },
  split: (value, separator) => text(value).split(text(separator)),
  lower: (value) => text(value).toLowerCase(),
  upper: (value) => text(value).toUpperCase(),
  title: (value) => text(value).replace(/(^|[^\p{L}\p{N}_'])(\p{L})/gu, (_all, before: string, letter: string) => before + letter.toUpperCase()),
  pad: (value, before, after) => (text(value) === '' ? '' : ' '.repeat(whole(before)) + text(value) + ' '.repeat(whole(after))),
  truncate: (value, length) => (text(value).length < whole(length) ? text(value) : text(value).slice(0, whole(length))),
  html: (value) => printValue(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`),
  urlquery: (value) => encodeURIComponent(printValue(value)).replaceAll('%20', '+'),
};

/** For the heading of a table: functions that change a value leave a heading as it is. */
export const headingFunctions: Record<string, TemplateFunction> = {
  ...functions,
  ...Object.fromEntries(['json', 'join', 'split', 'lower', 'upper', 'title', 'truncate', 'slice'].map((name) => [name, (value: unknown) => value])),
};
