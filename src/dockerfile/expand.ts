/** Variables and quotes in the words of a Dockerfile: `$name`, `${name:-word}` and so on, as the reference builder has them. */
import { SiruError } from '../base/errors.ts';
import { fault } from './errors.ts';
import { removePrefix, removeSuffix, replacePattern, type PatternWork } from './shell-pattern.ts';

/** The value of a variable; undefined when it is not set. */
export type Environment = (name: string) => string | undefined;

export interface ExpandOptions {
  /** The file's escape character. */
  escape?: '\\' | '`';
  /** `literal` leaves quotes alone, for the bodies of heredocs. */
  quotes?: 'remove' | 'literal';
  /** `keep` leaves escape characters and what they escape as they were written. */
  escapes?: 'remove' | 'keep';
  /** `keep` leaves a variable that is not set as it was written. */
  unset?: 'empty' | 'keep';
  /** Told what the expansion cost: characters of values and of the result, and a sixteenth of the steps of patterns. */
  onWork?: (units: number) => void;
}

export interface Expansion {
  result: string;
  /** Names that were looked up and are set, and those that are not. */
  matched: Set<string>;
  unmatched: Set<string>;
}

/** Longest result, in characters. */
export const maxExpansion: number = 16 * 1024 * 1024;
/** Deepest nesting of `${a:-${b:-...}}`. */
export const maxExpansionDepth = 100;

/** Expands one word; spaces in values stay. Throws DOCKERFILE with the word and the reason. */
export function expandWord(word: string, env: Environment, options: ExpandOptions = {}): Expansion {
  const matched = new Set<string>();
  const unmatched = new Set<string>();
  return { result: run(word, env, options, matched, unmatched, undefined), matched, unmatched };
}

/** Expands and then splits at white space that is neither quoted nor escaped, as EXPOSE does. Throws DOCKERFILE. */
export function expandWords(text: string, env: Environment, options: ExpandOptions = {}): string[] {
  const words = createWords();
  run(text, env, options, new Set(), new Set(), words);
  return words.all();
}

interface Words {
  /** Adds text in which white space separates. */
  add(text: string): void;
  /** Adds text that was quoted or escaped. */
  addRaw(text: string): void;
  all(): string[];
}

function createWords(): Words {
  const words: string[] = [];
  let word = '';
  const end = (): void => {
    if (word !== '') words.push(word);
    word = '';
  };
  return {
    add(text) {
      for (const [position, part] of text.split(/\s+/).entries()) {
        if (position > 0) end();
        word += part;
      }
    },
    addRaw(text) {
      word += text;
    },
    all() {
      end();
      return words;
    },
  };
}

const nameForm = /(?:\p{Nd}+|[@*#?$!-]|[\p{L}_][\p{L}\p{Nd}_]*)/uy;
const modifierHint = 'Known are ${name:-word}, ${name-word}, ${name:+word}, ${name+word}, ${name:?text}, ${name?text}, ${name#pattern}, ${name##pattern}, ${name%pattern}, ${name%%pattern}, ${name/pattern/text} and ${name//pattern/text}.';

function run(text: string, env: Environment, options: ExpandOptions, matched: Set<string>, unmatched: Set<string>, words: Words | undefined): string {
  const escape = options.escape ?? '\\';
  const quotes = options.quotes !== 'literal';
  const keepUnset = options.unset === 'keep';
  let pos = 0;
  let depth = 0;
  let size = 0;
  const work: PatternWork = { steps: 0 };

  function lookUp(name: string): string | undefined {
    const value = env(name);
    (value === undefined ? unmatched : matched).add(name);
    if (value !== undefined && (size += value.length) > maxExpansion) throw fault(`it expands to more than ${maxExpansion} characters`);
    return value;
  }

  /** Reads up to the stop character (taken, not given) or the end. `raw`: escape characters stay, for patterns. */
  function until(stop: string | undefined, raw: boolean, collect?: Words): string {
    let result = '';
    while (pos < text.length) {
      const char = text[pos]!;
      if (char === stop) {
        pos++;
        return result;
      }
      if (char === '$') {
        const value = dollar();
        result += value;
        collect?.add(value);
      } else if (quotes && (char === "'" || char === '"')) {
        const value = char === "'" ? single() : double(raw);
        result += value;
        collect?.addRaw(value);
      } else if (char === escape) {
        pos++;
        if (raw) result += char;
        const escaped = pos < text.length ? String.fromCodePoint(text.codePointAt(pos)!) : '';
        pos += escaped.length;
        result += escaped;
        collect?.addRaw(escaped);
      } else {
        pos++;
        result += char;
        collect?.add(char);
      }
    }
    if (stop !== undefined) throw fault(stop === '}' ? "syntax error: missing '}'" : `syntax error: missing '${stop}' in \${}`);
    return result;
  }

  function single(): string {
    const end = text.indexOf("'", pos + 1);
    if (end < 0) throw fault('unexpected end of statement while looking for matching single-quote');
    const result = text.slice(pos + 1, end);
    pos = end + 1;
    return result;
  }

  function double(raw: boolean): string {
    let result = '';
    pos++;
    while (pos < text.length) {
      const char = text[pos]!;
      if (char === '"') {
        pos++;
        return result;
      }
      if (char === '$') {
        result += dollar();
        continue;
      }
      pos++;
      const next = text[pos];
      if (char !== escape) result += char;
      else if (next === '"' || next === '$' || next === escape) {
        result += raw ? char + next : next;
        pos++;
      } else if (next !== undefined) result += raw ? char + char : char;
    }
    throw fault('unexpected end of statement while looking for matching double-quote');
  }

  function name(): string {
    nameForm.lastIndex = pos;
    const found = nameForm.exec(text)?.[0] ?? '';
    pos += found.length;
    return found;
  }

  function dollar(): string {
    const start = pos++;
    if (text[pos] !== '{') {
      const variable = name();
      if (variable === '') return '$';
      return lookUp(variable) ?? (keepUnset ? text.slice(start, pos) : '');
    }
    if (++depth > maxExpansionDepth) throw fault(`substitutions are nested more than ${maxExpansionDepth} deep`);
    pos++;
    const first = text[pos];
    if (first === undefined) throw fault("syntax error: missing '}'");
    if (first === '{' || first === '}' || first === ':') throw fault('syntax error: bad substitution');
    const result = substitution(start);
    depth--;
    return result;
  }

  /** What follows `${`. */
  function substitution(start: number): string {
    const variable = name();
    const modifier = text[pos++];
    if (modifier === undefined) throw fault("syntax error: missing '}'");
    if (modifier === '}') return lookUp(variable) ?? (keepUnset ? text.slice(start, pos) : '');
    if (modifier === '/') return replacement(variable, start);
    const colon = modifier === ':';
    const kind = colon ? text[pos++] : modifier;
    const unsupported = (): SiruError => fault(`unsupported modifier (${colon ? ':' : ''}${kind ?? ''}) in substitution`, modifierHint);
    if (kind === undefined) throw fault("syntax error: missing '}'");
    const isPattern = kind === '#' || kind === '%';
    if (!'-+?#%'.includes(kind) || (isPattern && colon)) throw unsupported();
    const word = until('}', isPattern);
    const value = lookUp(variable);
    if (value === undefined && keepUnset) return text.slice(start, pos);
    const missing = value === undefined || (colon && value === '');
    switch (kind) {
      case '-': return missing ? word : value;
      case '+': return missing ? '' : word;
      case '?':
        if (missing) throw fault(`${variable}: ${word || `is not allowed to be ${value === undefined ? 'unset' : 'empty'}`}`);
        return value;
      default: {
        const longest = word.startsWith(kind);
        const pattern = longest ? word.slice(1) : word;
        return kind === '#' ? removePrefix(value ?? '', pattern, longest, work) : removeSuffix(value ?? '', pattern, longest, work);
      }
    }
  }

  function replacement(variable: string, start: number): string {
    const all = text[pos] === '/';
    if (all) pos++;
    const pattern = until('/', true);
    const by = until('}', true);
    const value = lookUp(variable);
    if (value === undefined && keepUnset) return text.slice(start, pos);
    const result = replacePattern(value ?? '', pattern, by, all, maxExpansion, work);
    size += Math.max(0, result.length - (value?.length ?? 0));
    return result;
  }

  try {
    const result = until(undefined, options.escapes === 'keep', words);
    options.onWork?.(size + result.length + Math.ceil(work.steps / 16));
    return result;
  } catch (error) {
    if (!(error instanceof SiruError)) throw error;
    const shown = text.length > 200 ? `${text.slice(0, 200)}...` : text;
    throw new SiruError('DOCKERFILE', `failed to process ${JSON.stringify(shown)}: ${error.message}`, { hint: error.hint, cause: error });
  }
}
