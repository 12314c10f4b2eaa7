/** What a context holds, as people read it. Pure. */
import type { Amount, ContextSurvey, ContextTake, EmptyPattern, PathAnswer, SizedPath, SurveyedContext, SurveyedRule } from '../build/survey/survey.ts';
import { harmlessLine } from './sanitize.ts';
import { alignColumns } from './tables.ts';
import { humanSize } from './units.ts';
import { clip } from './width.ts';

const shownStep = 72;

export function contextText(survey: ContextSurvey): string {
  const several = survey.contexts.length > 1;
  const parts = survey.contexts.map((context) => oneContext(context, survey.takes.filter((take) => take.context === context.name), several));
  const { unknown } = survey;
  if (unknown.length > 0) parts.push(`Not here: ${unknown.map(harmlessLine).join(', ')}. Variables and triggers that ${unknown.length === 1 ? 'it sets' : 'they set'} are not known.\n`);
  return parts.join('\n');
}

function oneContext(context: SurveyedContext, takes: readonly ContextTake[], several: boolean): string {
  const { name, place, holds, leftOut, visible, taken, idle, ignore, largest, candidates, unreadable } = context;
  const parts = [`Context${name === undefined ? '' : ` ${harmlessLine(name)}`}: ${harmlessLine(place)}\n`];
  const row = (what: string, { files, folders, bytes }: Amount): string[] => [what, String(files), String(folders), humanSize(bytes)];
  parts.push(table([
    ['', 'FILES', 'FOLDERS', 'SIZE'],
    ...(ignore ? [row('There', holds), row('Left out', leftOut)] : []),
    row('In context', visible), row('Taken', taken), row('Not taken', idle),
  ]));
  if (takes.length > 0) parts.push(heading('What instructions take'), table([['LINE', 'STAGE', 'FILES', 'SIZE', 'INSTRUCTION'], ...takes.map(takeRow)]), notes(takes));
  else if (!several) parts.push('\nNo instruction takes anything of it.\n');
  if (ignore) parts.push(heading(`What ${harmlessLine(ignore.file)} leaves out`), table([['LINE', 'FILES', 'SIZE', 'RULE'], ...ignore.rules.map(ruleRow)]));
  if (largest.length > 0) parts.push(heading('Largest'), table(largest.map(sizedRow)));
  if (idle.files > 0 && candidates.length > 0) {
    const rest = idle.files - candidates.reduce((sum, { files }) => sum + files, 0);
    parts.push(heading('Taken by no instruction'), table(candidates.filter(({ files }) => files > 0).map(sizedRow)), rest > 0 ? `and ${counted(rest)} more\n` : '');
  }
  for (const path of unreadable) parts.push(`\n${harmlessLine(path === '' ? place : path)} cannot be read; what is below it is not counted.\n`);
  return parts.join('');
}

function heading(text: string): string {
  return `\n${text}:\n`;
}

function table(rows: readonly string[][]): string {
  return `${alignColumns(rows.map((cells) => cells.join('\t')).join('\n'))}\n`;
}

function takeRow({ line, stage, files, bytes, text, skipped }: ContextTake): string[] {
  return [String(line), harmlessLine(stage), String(files), humanSize(bytes), `${clip(harmlessLine(text), shownStep)}${skipped ? '   (the target does not need this stage)' : ''}`];
}

function notes(takes: readonly ContextTake[]): string {
  return takes.flatMap(({ line, empty, problems }) => [
    ...empty.map((one) => `Line ${line}: ${emptyText(one)}\n`),
    ...problems.map(({ message, hint }) => `Line ${line} fails: ${harmlessLine(message)}${hint === undefined ? '' : `\n  ${harmlessLine(hint)}`}\n`),
  ]).join('');
}

function emptyText({ pattern, exclude, hidden }: EmptyPattern): string {
  const text = `${exclude ? '--exclude=' : ''}${harmlessLine(pattern)} matches nothing`;
  if (!hidden) return text;
  const { paths, rule } = hidden;
  return `${text}: line ${rule.line} of ${harmlessLine(rule.file)}, ${harmlessLine(rule.text)}, leaves out ${paths === 1 ? 'what it would match' : `the ${paths} that it would match`}`;
}

function ruleRow({ line, text, exception, matches, files, folders, bytes }: SurveyedRule): string[] {
  const note = matches === 0 ? '(matches nothing)' : files + folders > 0 ? (exception ? '(brings back)' : '') : exception ? '(brings back nothing)' : '(later lines decide about all that it matches)';
  return [String(line), String(files), humanSize(bytes), note === '' ? harmlessLine(text) : `${harmlessLine(text)}   ${note}`];
}

function sizedRow({ path, type, files, bytes }: SizedPath): string[] {
  const name = harmlessLine(path);
  return [humanSize(bytes), type === 'dir' ? `${name}/   (${counted(files)})` : name];
}

export function whyText(answers: readonly PathAnswer[]): string {
  return answers.map(answerText).join('\n');
}

function answerText({ asked, path, state, type, amount, rule, leftOutBelow, takenBy, message, hint }: PathAnswer): string {
  if (state === 'missing') return `${harmlessLine(message!)}\n${hint === undefined ? '' : `  ${harmlessLine(hint)}\n`}`;
  const size = type === 'dir' ? `${counted(amount!.files)}, ${humanSize(amount!.bytes)}` : humanSize(amount!.bytes);
  const lines = [`${harmlessLine(path === '' ? asked : path)}${type === 'dir' && path !== '' ? '/' : ''} is ${state === 'in' ? 'in the context' : 'left out'} (${size})`];
  if (rule) {
    const line = `line ${rule.line} of ${harmlessLine(rule.file)}, ${harmlessLine(rule.text)}`;
    const through = rule.at === path ? '' : `, which matches ${harmlessLine(rule.at)}`;
    if (state === 'left out') lines.push(`  by ${line}${through}`);
    else if (rule.exception) lines.push(`  ${rule.bringsBack ? 'brought back' : 'kept'} by ${line}${through}`);
    else lines.push(`  ${line}${through}, leaves it out, and a later line brings something in it back`);
  } else if (state === 'in') lines.push('  no line of an ignore file matches it');
  for (const below of leftOutBelow) lines.push(`  of what is below it ${counted(below.files)}, ${humanSize(below.bytes)}, left out by line ${below.line} of ${harmlessLine(below.file)}, ${harmlessLine(below.text)}`);
  if (state === 'in') {
    if (takenBy.length === 0) lines.push('  no instruction takes it');
    for (const { line, text } of takenBy) lines.push(`  taken by line ${line}: ${clip(harmlessLine(text), shownStep)}`);
  }
  return `${lines.join('\n')}\n`;
}

function counted(files: number): string {
  return `${files} ${files === 1 ? 'file' : 'files'}`;
}
