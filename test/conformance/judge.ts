/** Whether Siru's outcome is what was recorded; the differences that are wrong. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case, Outcome } from './case.ts';
import { diff } from './diff.ts';

const differences = join(import.meta.dirname, '../../docs/differences.md');

/** Lines that say what is wrong; none when all is as it should be. */
export function judge(test: Case, recorded: Outcome, got: Outcome): string[] {
  const found = compared(test, recorded, got);
  if (!test.differs) return found;
  const { section, shows } = test.differs;
  const documented = existsSync(differences) && readFileSync(differences, 'utf8').split('\n').some((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === section);
  if (!documented) return [`docs/differences.md has no section ${JSON.stringify(section)}`];
  if (found.length === 0) return ['the difference that the case tells of is gone'];
  return found.filter((line) => !shows.test(line));
}

function compared(test: Case, recorded: Outcome, got: Outcome): string[] {
  if (!('refused' in recorded) || !('refused' in got)) return diff(recorded, got);
  const wrong: string[] = [];
  if (recorded.line !== undefined && recorded.line !== got.line) wrong.push(`- line ${recorded.line}`, `+ line ${got.line}`);
  if (!test.refused?.test(got.message)) wrong.push(`- ${recorded.message}`, `+ ${got.message.split('\n')[0]} (does not match ${test.refused})`);
  return wrong;
}
