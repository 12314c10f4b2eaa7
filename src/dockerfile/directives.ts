/** Parser directives: `# syntax=`, `# escape=` and `# check=` in the first lines of a file. */
import { fault } from './errors.ts';

export interface Directive {
  /** Lower case. */
  name: string;
  value: string;
  line: number;
}

const known = new Set(['syntax', 'escape', 'check']);

/**
 * The directives of the text. They end at the first line that is none: an instruction, a blank line, a plain comment, an
 * unknown name. A first line that begins with `#!` is passed over. Throws DOCKERFILE, via `wrong`, for a repeated one.
 */
export function readDirectives(text: string, comment: '#' | '//' = '#', wrong: (line: number, message: string) => Error = (_line, message) => fault(message)): Directive[] {
  const directives: Directive[] = [];
  let start = text.startsWith('\ufeff') ? 1 : 0;
  for (let number = 1; start < text.length; number++) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    const line = text.slice(start, end).trim();
    start = end + 1;
    if (number === 1 && line.startsWith('#!')) continue;
    if (!line.startsWith(comment)) break;
    const [, name, rest] = /^([a-zA-Z][a-zA-Z0-9]*)\s*=(.*)$/s.exec(line.slice(comment.length).trimStart()) ?? [];
    const value = rest?.trim();
    if (name === undefined || !value || !known.has(name.toLowerCase())) break;
    if (directives.some((other) => other.name === name.toLowerCase())) throw wrong(number, `only one ${name.toLowerCase()} parser directive can be used`);
    directives.push({ name: name.toLowerCase(), value, line: number });
  }
  return directives;
}

export interface Syntax {
  /** The image of the frontend. */
  ref: string;
  /** All of the value: the image and its arguments. */
  cmdline: string;
  /** 1-based; 0 for the JSON form. */
  line: number;
}

/** Which frontend a file asks for: as `# syntax=`, `// syntax=` or `{"syntax": ...}`. Never throws. */
export function detectSyntax(text: string): Syntax | undefined {
  for (const comment of ['#', '//'] as const) {
    const found = findDirective(text, 'syntax', comment);
    if (found) return { ref: found.value.split(' ')[0]!, cmdline: found.value, line: found.line };
  }
  try {
    const value: unknown = JSON.parse(text.replace(/^\ufeff/, ''));
    const ref = (value as { syntax?: unknown } | null)?.syntax;
    if (typeof ref === 'string') return { ref, cmdline: ref, line: 0 };
  } catch {
    // Not the JSON form.
  }
  return undefined;
}

/** One directive by name. Never throws: a repeated directive ends the search. */
export function findDirective(text: string, name: string, comment: '#' | '//' = '#'): Directive | undefined {
  try {
    return readDirectives(text, comment).find((directive) => directive.name === name);
  } catch {
    return undefined;
  }
}
