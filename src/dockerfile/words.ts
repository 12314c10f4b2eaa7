/** How the arguments of an instruction fall into words: by white space, with quotes, as a JSON array, as flags. */
import { fault } from './errors.ts';

/** Separates words; line breaks are gone by then. */
const whiteSpace = /[\t\v\f\r ]+/;

/** Words between white space; quotes mean nothing. */
export function splitWhiteSpace(text: string): string[] {
  return text === '' ? [] : text.split(whiteSpace);
}

/** Splits once, at the first white space. */
export function cutAtWhiteSpace(text: string): [head: string, rest: string | undefined] {
  const match = whiteSpace.exec(text);
  return match ? [text.slice(0, match.index), text.slice(match.index + match[0].length)] : [text, undefined];
}

/** Words between white space that is neither quoted nor escaped; quotes and escapes stay in them. */
export function splitQuoted(text: string, escape: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (quote === '' && /\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (char === escape && quote !== "'") {
      // One at the very end escapes nothing and goes.
      if (i + 1 < text.length) word = (word ?? '') + char + text[++i]!;
    } else {
      word = (word ?? '') + char;
      if (char === quote) quote = '';
      else if (quote === '' && (char === "'" || char === '"')) quote = char;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

/**
 * The strings of a JSON array; undefined when the text is no JSON array, which makes it shell form. Throws DOCKERFILE for
 * an array of anything else.
 */
export function parseJsonStrings(text: string): string[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const items = value as unknown[];
  if (items.every((item) => typeof item === 'string')) return items.map((item) => item.toWellFormed());
  throw fault('when using JSON array syntax, arrays must be comprised of strings only', 'Put every element into double quotes.');
}

/**
 * Takes `--name[=value]` words off the beginning. Quotes and backslashes are resolved; a word `--` ends the flags and is
 * dropped.
 */
export function takeFlags(text: string): { flags: string[]; rest: string } {
  const flags: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && /\s/.test(text[at]!)) at++;
    if (!text.startsWith('--', at)) return { flags, rest: text.slice(at).trim() };
    let word = '';
    let quote = '';
    for (; at < text.length; at++) {
      const char = text[at]!;
      if (quote === '' && /\s/.test(char)) break;
      if (char === '\\') word += text[++at] ?? '';
      else if (char === quote) quote = '';
      else if (quote === '' && (char === "'" || char === '"')) quote = char;
      else word += char;
    }
    if (word === '--') return { flags, rest: text.slice(at).trim() };
    flags.push(word);
  }
}

/** The fields of one line of CSV. Throws DOCKERFILE. */
export function splitCsv(text: string): string[] {
  const fields: string[] = [];
  for (let at = 0; ; at++) {
    if (text[at] !== '"') {
      const comma = text.indexOf(',', at);
      const field = text.slice(at, comma < 0 ? undefined : comma);
      if (field.includes('"')) throw fault(`a quote inside ${JSON.stringify(field)}, which is not quoted as a whole`);
      fields.push(field);
      if (comma < 0) return fields;
      at = comma;
      continue;
    }
    let field = '';
    for (at++; ; at++) {
      if (at >= text.length) throw fault(`a quote in ${JSON.stringify(text)} does not end`);
      if (text[at] !== '"') field += text[at]!;
      else if (text[at + 1] === '"') field += text[at++]!;
      else break;
    }
    fields.push(field);
    if (++at >= text.length) return fields;
    if (text[at] !== ',') throw fault(`text behind a closing quote in ${JSON.stringify(text)}`);
  }
}
