/** Errors that show the place in the Dockerfile. */
import { SiruError, type ErrorOptions } from '../base/errors.ts';
import type { Lines } from './instruction.ts';

/** A text and the name under which people know it. */
export interface SourceText {
  /** `Dockerfile`, or the path as the user gave it. */
  name: string;
  text: string;
}

/** Lines of the file shown before and after those that an error is about. */
const contextLines = 2;
/** Longest run of lines and longest line that an excerpt shows. */
const maxExcerptLines = 20;
const maxExcerptColumns = 200;

export class DockerfileError extends SiruError {
  readonly file: string;
  /** undefined when the error is about the file as a whole. */
  readonly lines: Lines | undefined;
  /** The message without place and excerpt. */
  readonly reason: string;

  constructor(source: SourceText, lines: Lines | undefined, reason: string, options: ErrorOptions & { prefix?: string } = {}) {
    const head = `${options.prefix ?? ''}${reason}`;
    super('DOCKERFILE', lines ? `${head}\n\n${excerpt(source, lines)}` : head, options);
    this.name = 'DockerfileError';
    this.file = source.name;
    this.lines = lines;
    this.reason = reason;
  }
}

/** What `docker build` says before the reason of an error in the text itself. */
export function parsePrefix(lines: Lines): string {
  return `dockerfile parse error on line ${lines.start}: `;
}

/**
 * The error, told with its place. One that has a place already is given back as it is, and so is anything but a DOCKERFILE
 * error: its code tells the caller what to do.
 */
export function withPlace(error: unknown, source: SourceText, lines: Lines, prefix = ''): unknown {
  if (error instanceof DockerfileError || !(error instanceof SiruError) || error.code !== 'DOCKERFILE') return error;
  return new DockerfileError(source, lines, error.message, { hint: error.hint, cause: error, prefix });
}

/** A fault whose place the caller knows; see withPlace(). */
export function fault(message: string, hint?: string): SiruError {
  return new SiruError('DOCKERFILE', message, { hint });
}

/** The lines with a little context, each with its number, those in question marked. */
export function excerpt(source: SourceText, lines: Lines): string {
  const all = source.text.split('\n');
  if (all.at(-1) === '' && all.length > 1) all.pop();
  const first = Math.max(1, lines.start - contextLines);
  const last = Math.min(all.length, lines.end + contextLines);
  const width = String(last).length;
  const shown: string[] = [];
  for (let number = first; number <= last; number++) {
    if (shown.length === maxExcerptLines) {
      shown.push(`  ${' '.repeat(width)} |     ...`);
      break;
    }
    const marked = number >= lines.start && number <= lines.end;
    shown.push(`  ${String(number).padStart(width)} | ${marked ? '>>>' : '   '} ${printable(all[number - 1]!)}`.trimEnd());
  }
  const rule = '--------------------';
  return [`${source.name}:${lines.start}`, rule, ...shown, rule].join('\n');
}

/** Without what a terminal would take for a command. */
function printable(line: string): string {
  // oxlint-disable-next-line no-control-regex
  const clean = line.replace(/\r$/, '').slice(0, maxExcerptColumns + 1).replace(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/g, '\ufffd');
  return clean.length > maxExcerptColumns ? `${clean.slice(0, maxExcerptColumns)}...` : clean;
}
