/** The report of `siru verify` for people. Pure. */
import type { FileDifference, StepDifference } from '../build/verify/compare-steps.ts';
import type { VerifyReport } from '../build/verify/verify.ts';
import { harmlessLine } from './sanitize.ts';

/** Files of one step that are shown each. */
const mostShown = 20;
/** Names in a line of names. */
const mostNames = 5;
/** Longest instruction. */
const longestText = 100;

/** `clamped`: the builds were reproducible ones. */
export function reportText(report: VerifyReport, clamped: boolean): string {
  const { reproducible, differences, steps, after, config, history } = report;
  const all = `${steps} step${steps === 1 ? '' : 's'}`;
  if (reproducible) return `reproducible: ${all} gave the same bytes twice\nimage  ${after}\n`;
  const lines = differences.flatMap((step) => stepLines(step, clamped));
  for (const { name, before, after: now } of config) {
    // It follows from the layers.
    if (name !== 'created') lines.push(`config ${name}: ${JSON.stringify(before)} and ${JSON.stringify(now)}`);
  }
  for (const { type, entry } of history.filter(({ type }) => type === 'added').slice(0, mostShown)) {
    if (differences.length === 0) lines.push(`history (${type}): ${entry.created_by ?? entry.comment ?? ''}`);
  }
  const verdict = differences.length === 0 ? 'not reproducible: the configuration differs' : `not reproducible: ${differences.length} of ${all} differ${differences.length === 1 ? 's' : ''}`;
  return `${lines.map((line) => harmlessLine(line)).join('\n')}\n\n${verdict}\n`;
}

function stepLines(step: StepDifference, clamped: boolean): string[] {
  const { stage, text, line, files, differing, timesOnly, missing } = step;
  const where = [...(/^stage-\d+$|^\d+$/.test(stage) ? [] : [stage]), ...(line === undefined ? [] : [`line ${line}`])].join(', ');
  const lines = [`${text.length > longestText ? `${text.slice(0, longestText - 1)}…` : text}${where === '' ? '' : ` (${where})`}`];
  if (missing !== undefined) return [...lines, `  ${missing}`];
  const others = files.filter((file) => !isTimeOnly(file));
  for (const file of others.slice(0, mostShown)) lines.push(...fileLines(file));
  if (others.length > mostShown) lines.push(`  ... and ${differing - timesOnly - mostShown} more; --json has them`);
  if (timesOnly > 0) {
    const names = files.filter(isTimeOnly).slice(0, mostNames).map(({ path }) => `/${path}`);
    lines.push(`  ${timesOnly} file${timesOnly === 1 ? '' : 's'} in time only: ${names.join(' ')}${timesOnly > names.length ? ' ...' : ''}`);
    if (!clamped) lines.push('      build --reproducible sets such times back');
  }
  return lines;
}

function isTimeOnly({ aspects }: FileDifference): boolean {
  return aspects.length === 1 && aspects[0] === 'time';
}

function fileLines({ path, change, aspects, at, cause }: FileDifference): string[] {
  const why = cause ? `: ${cause.text}` : '';
  const lines: string[] = [];
  if (change !== 'changed') lines.push(`  /${path} is only in the ${change === 'added' ? 'second' : 'first'} build${why}`);
  else {
    const what = aspects.filter((aspect) => aspect !== 'time' || aspects.length === 1).join(', ');
    lines.push(`  /${path}: ${what} differs${at ? ` from byte ${at.offset}` : ''}${why}`);
    if (at && cause?.kind !== 'source') lines.push(`      ${excerpt(at.before)}`, `      ${excerpt(at.after)}`);
  }
  if (cause?.advice !== undefined) lines.push(`      ${cause.advice}`);
  return lines;
}

/** Text as it is, control characters as dots; bytes in hexadecimal digits. */
function excerpt(bytes: Buffer): string {
  const text = bytes.toString('latin1');
  const printable = text.replace(/[^\x20-\x7e\n\t]/g, '');
  return printable.length > text.length * 0.7 ? text.replace(/[^\x20-\x7e]/g, '·') : bytes.toString('hex').replace(/(..)(?=.)/g, '$1 ');
}
