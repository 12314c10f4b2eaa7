/** Errors as people see them, and the exit codes that go with them. */
import { isSiruError, messageOf } from '../base/errors.ts';
import { harmlessText } from './sanitize.ts';

/** `siru: message`, and the hint on a line of its own; the stack and the causes too when `debug`. */
export function errorText(error: unknown, debug: boolean): string {
  const known = isSiruError(error);
  let text = `siru: ${harmlessText(messageOf(error))}\n`;
  if (known && error.hint !== undefined && error.hint !== '') text += `hint: ${harmlessText(error.hint)}\n`;
  if (debug) {
    for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) text += `${depth > 0 ? 'caused by ' : ''}${harmlessText(at.stack ?? String(at))}\n`;
  } else if (!known) {
    text += 'hint: this is a fault of siru; run it again with --debug and report what it prints\n';
  }
  return text;
}
