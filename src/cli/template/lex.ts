/** A Go template cut into text and the tokens of its actions (`text/template`, section "Text and spaces"). */
import { templateFault } from './fault.ts';

export interface Token {
  kind: 'text' | 'open' | 'close' | 'name' | 'field' | 'dot' | 'variable' | 'string' | 'number' | 'symbol' | 'space' | 'end';
  /** Text, name without `.` or `$`, value of a string. */
  value: string;
  /** Offset in the template. */
  at: number;
}

const word = /[\p{L}_][\p{L}\p{N}_]*/uy;
const number = /[+-]?(?:0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y;

/** Throws USAGE with the position. The last token is `end`. */
export function lexTemplate(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  let trimNext = false;
  while (at < text.length) {
    const open = text.indexOf('{{', at);
    const textEnd = open < 0 ? text.length : open;
    let plain = text.slice(at, textEnd);
    if (trimNext) plain = plain.replace(/^[ \t\r\n]+/, '');
    const trimsBefore = open >= 0 && text[open + 2] === '-' && isSpace(text[open + 3]);
    if (trimsBefore) plain = plain.replace(/[ \t\r\n]+$/, '');
    if (plain !== '') tokens.push({ kind: 'text', value: plain, at });
    if (open < 0) break;
    at = open + (trimsBefore ? 4 : 2);

    const comment = /\/\*[^]*?\*\//y;
    comment.lastIndex = at;
    const found = comment.exec(text);
    if (found) {
      const rest = /(\s-)?\}\}/y;
      rest.lastIndex = comment.lastIndex;
      const closed = rest.exec(text);
      if (!closed) throw templateFault(text, open, 'a comment must end right before the closing braces');
      at = rest.lastIndex;
      trimNext = closed[1] !== undefined;
      continue;
    }
    tokens.push({ kind: 'open', value: '{{', at: open });
    ({ at, trim: trimNext } = lexAction(text, at, open, tokens));
  }
  tokens.push({ kind: 'end', value: '', at: text.length });
  return tokens;
}

function lexAction(text: string, start: number, open: number, tokens: Token[]): { at: number; trim: boolean } {
  let at = start;
  const push = (kind: Token['kind'], value: string, end: number): void => {
    tokens.push({ kind, value, at });
    at = end;
  };
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(text)?.[0];
  };
  for (;;) {
    if (at >= text.length) throw templateFault(text, open, 'this action is never closed', 'close it with }}');
    if (text.startsWith('}}', at)) {
      push('close', '}}', at + 2);
      return { at, trim: false };
    }
    const space = take(/[ \t\r\n]+/y);
    if (space !== undefined) {
      if (text.startsWith('-}}', at + space.length)) {
        at += space.length + 1;
        push('close', '}}', at + 2);
        return { at, trim: true };
      }
      push('space', ' ', at + space.length);
      continue;
    }
    const character = text[at]!;
    if (character === '"' || character === '`' || character === "'") {
      const { value, end } = readQuoted(text, at);
      if (character === "'") push('number', String(value.codePointAt(0) ?? 0), end);
      else push('string', value, end);
      continue;
    }
    if (character === '$') {
      at++;
      const name = take(word) ?? '';
      at--;
      push('variable', name, at + 1 + name.length);
      continue;
    }
    if (character === '.') {
      at++;
      const name = take(word);
      at--;
      if (name !== undefined) push('field', name, at + 1 + name.length);
      else if (/\d/.test(text[at + 1] ?? '')) push('number', take(number)!, at + take(number)!.length);
      else push('dot', '.', at + 1);
      continue;
    }
    const name = take(word);
    if (name !== undefined) {
      push('name', name, at + name.length);
      continue;
    }
    const digits = /[+\-\d]/.test(character) ? take(number) : undefined;
    if (digits !== undefined && /\d/.test(digits)) {
      push('number', digits.replaceAll('_', ''), at + digits.length);
      continue;
    }
    if (text.startsWith(':=', at)) push('symbol', ':=', at + 2);
    else if ('|(),='.includes(character)) push('symbol', character, at + 1);
    else throw templateFault(text, at, `unexpected ${JSON.stringify(character)}`);
  }
}

function readQuoted(text: string, at: number): { value: string; end: number } {
  const quote = text[at]!;
  if (quote === '`') {
    const end = text.indexOf('`', at + 1);
    if (end < 0) throw templateFault(text, at, 'this string is never closed');
    return { value: text.slice(at + 1, end), end: end + 1 };
  }
  let value = '';
  for (let index = at + 1; index < text.length; index++) {
    const character = text[index]!;
    if (character === quote) return { value, end: index + 1 };
    if (character === '\n') break;
    if (character !== '\\') {
      value += character;
      continue;
    }
    const escape = /\\(?:([abfnrtv\\'"])|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{3}))/y;
    escape.lastIndex = index;
    const found = escape.exec(text);
    if (!found) throw templateFault(text, index, 'unknown escape in a string');
    const [whole, letter, two, four, eight, octal] = found;
    const letters: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
    const code = octal === undefined ? Number.parseInt(two ?? four ?? eight ?? '0', 16) : Number.parseInt(octal, 8);
    if (letter === undefined && code > 0x10ffff) throw templateFault(text, index, 'no such character');
    value += letter === undefined ? String.fromCodePoint(code) : (letters[letter] ?? letter);
    index += whole.length - 1;
  }
  throw templateFault(text, at, 'this string is never closed');
}

function isSpace(character: string | undefined): boolean {
  return character === ' ' || character === '\t' || character === '\r' || character === '\n';
}
