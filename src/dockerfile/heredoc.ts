/** Heredocs: where a line begins them, and what their words mean. */
import { fault } from './errors.ts';
import type { Heredoc } from './instruction.ts';

export type HeredocWord = Omit<Heredoc, 'content'>;

/**
 * Reads `[fd]<<[-]WORD`; undefined for a word that begins no heredoc. Throws DOCKERFILE for quotes that do not end.
 */
export function parseHeredocWord(text: string): HeredocWord | undefined {
  const match = /^(\d*)<<(-?)\s*([^<]*)$/.exec(text);
  if (!match) return undefined;
  const [, fd = '', dash, rest = ''] = match;
  let name = '';
  let quoted = false;
  let quote = '';
  for (let i = 0; i < rest.length; i++) {
    const char = rest[i]!;
    if (quote === '' && /\s/.test(char)) return undefined; // more than one word
    if (char === '\\' && (quote === '' || (quote === '"' && /["$\\]/.test(rest[i + 1] ?? '')))) name += rest[++i] ?? '';
    else if (char === quote) quote = '';
    else if (quote === '' && (char === "'" || char === '"')) {
      quote = char;
      quoted = true;
    } else name += char;
  }
  if (quote !== '') throw fault(`unexpected end of statement while looking for matching ${quote === '"' ? 'double' : 'single'}-quote in the heredoc ${text}`);
  if (name === '') return undefined;
  return { name, expand: !quoted, chomp: dash === '-', fd: Number(fd.slice(-9) || 0) };
}

/** A word of a line, and the heredoc that it begins. */
export interface LineWord {
  text: string;
  heredoc?: HeredocWord;
}

/**
 * The words of a line with the heredocs among them. `<<` takes white space behind it along. A line whose quotes do not
 * end has no words: a shell may go on with it.
 */
export function heredocWords(line: string): LineWord[] {
  const words: LineWord[] = [];
  let word = '';
  let quote = '';
  const end = (): void => {
    if (word !== '') words.push({ text: word, heredoc: parseHeredocWord(word) });
    word = '';
  };
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (quote === '' && /\s/.test(char)) {
      end();
      continue;
    }
    word += char;
    if (char === '\\' && quote !== "'") word += line[++i] ?? '';
    else if (char === quote) quote = '';
    else if (quote === '' && (char === "'" || char === '"')) quote = char;
    else if (quote === '' && char === '<' && line[i + 1] === '<') {
      word += line[++i]!;
      while (i + 1 < line.length && /\s/.test(line[i + 1]!)) word += line[++i]!;
    }
  }
  if (quote !== '') return [];
  end();
  return words;
}

/** What the body says: of `<<-` without the tabs at the beginning of its lines. */
export function bodyOf({ content, chomp }: Heredoc): string {
  return chomp ? content.replace(/(^|\n)\t+/g, '$1') : content;
}
