/** Errors of templates, with the place in the template. */
import { SiruError } from '../../base/errors.ts';

/** A USAGE error that tells line and column (both from 1) of `at` in the template's text. */
export function templateFault(text: string, at: number, problem: string, hint?: string): SiruError {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  const column = at - (before.lastIndexOf('\n') + 1) + 1;
  return new SiruError('USAGE', `template: ${line}:${column}: ${problem}`, { hint: hint ?? excerpt(text, at, column) });
}

function excerpt(text: string, at: number, column: number): string {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at);
  const line = text.slice(start, end < 0 ? undefined : end);
  return `${line.slice(0, column - 1)}>>>${line.slice(column - 1)}`;
}
