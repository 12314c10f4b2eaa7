/** What checks found, for people: `docker build --check` in form. */
import type { CheckResult } from '../../build/call/check.ts';
import { excerpt } from '../../dockerfile/errors.ts';

export function checkText({ warnings, source, path }: CheckResult): string {
  const count = warnings.length;
  if (count === 0) return 'Check complete, no warnings found.\n';
  const shown = { name: path ?? source.name, text: source.text };
  const blocks = warnings.map(({ rule, text, lines, page }) => `\nWARNING: ${rule.name} - ${page}\n${text}\n${excerpt(shown, lines)}\n`);
  return `Check complete, ${count === 1 ? '1 warning has' : `${count} warnings have`} been found!\n${blocks.join('')}`;
}
