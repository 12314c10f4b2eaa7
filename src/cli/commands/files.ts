/** `siru files` */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Command } from 'commander';
import { checkCancelled } from '../../base/context.ts';
import { SiruError } from '../../base/errors.ts';
import { readImage } from '../../images/read.ts';
import { resolveImage } from '../../images/resolve.ts';
import { stepName } from '../../images/xray/describe.ts';
import type { ListedFile } from '../../images/xray/list-files.ts';
import type { LayerStep } from '../../images/xray/steps.ts';
import type { PathEvent } from '../../images/xray/trace.ts';
import type { Call } from '../call.ts';
import { harmlessJson, harmlessLine } from '../sanitize.ts';
import { humanSize } from '../units.ts';
import { clip } from '../width.ts';
import { entryMembers, modeText, pathText } from '../xray/entry.ts';

interface Flags {
  all?: boolean;
  layer?: string;
  depth?: string;
  json?: boolean;
  platform?: string;
}

const shownStep = 30;
/** Lines that are laid out and printed together. */
const batch = 1000;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE [PATH]')
    .argument('<image>')
    .argument('[path]')
    .option('-a, --all', 'Also what was deleted, and by what')
    .option('--layer <number>', 'What this layer added, changed and deleted; 0 is the bottom')
    .option('--depth <levels>', 'Levels of directories; all when not given')
    .option('--json', 'One JSON object per line')
    .option('--platform <platform>', 'Of an image for several platforms')
    .addHelpText('after', `
Of a single file all that happened to it is shown.

Examples:
  siru files app:1.0 /etc
  siru files app:1.0 /etc/passwd
  siru files -a --depth 1 app:1.0 /
  siru files --layer 3 --json app:1.0 | jq -r .path`);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<void> {
  const [name = '', path] = operands;
  const layer = wholeNumber('--layer', flags.layer);
  const depth = wholeNumber('--depth', flags.depth);
  const store = await call.store();
  const [{ listFiles }, { openTables }, { stepsOf }, { parsePlatform }] = await Promise.all([
    import('../../images/xray/list-files.ts'), import('../../images/xray/xray-image.ts'), import('../../images/xray/steps.ts'), import('../../oci/platform.ts'),
  ]);
  const image = readImage(store, resolveImage(store, name), flags.platform === undefined ? undefined : parsePlatform(flags.platform));
  const tocs = await openTables(store, image.layers, call.context());
  const steps = stepsOf(store, image);
  const files = listFiles(tocs, {
    deleted: flags.all ?? false,
    ...(path === undefined ? {} : { path }), ...(layer === undefined ? {} : { layer }), ...(depth === undefined ? {} : { depth }),
  });
  let lines: string[] = [];
  const flush = async (): Promise<void> => {
    call.print(lines.join(''));
    lines = [];
    // A signal gets through.
    await nextTurn();
    checkCancelled(call.context());
  };
  let last: ListedFile | undefined;
  let count = 0;
  for (const file of files) {
    if (flags.json) lines.push(`${harmlessJson(JSON.stringify(membersOf(file, steps)))}\n`);
    else lines.push(...(count === 0 ? [`${row(['MODE', 'OWNER', 'SIZE', 'LAYER', 'LINE', 'STEP'])}PATH\n`] : []), lineOf(file, steps));
    last = file;
    if (++count % batch === 0) await flush();
  }
  if (count === 1 && path !== undefined && last!.entry.type !== 'dir' && !flags.json) lines.push('\n', ...last!.events.map((event) => eventLine(event, steps)));
  await flush();
}

function wholeNumber(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,6}$/.test(text)) throw new SiruError('USAGE', `${flag} ${text}: not a whole number`);
  return Number(text);
}

function row(cells: readonly string[]): string {
  const widths = [10, 11, 6, 5, 4, shownStep];
  return cells.map((cell, i) => `${i === 2 || i === 4 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)}  `).join('');
}

function lineOf(file: ListedFile, steps: readonly LayerStep[]): string {
  const { entry, layer, deleted, event } = file;
  const { line, text, base } = steps[layer]!;
  const note = deleted ? `  (deleted by ${stepName(steps[deleted.layer]!)})` : event ? `  (${eventText(event)})` : '';
  const size = entry.type === 'file' ? humanSize(entry.size) : '-';
  const step = clip(`${base ? '(base) ' : ''}${harmlessLine(text)}`, shownStep);
  return `${row([modeText(entry), `${entry.uid}:${entry.gid}`, size, String(layer), line === undefined ? '' : String(line), step])}${pathText(entry)}${note}\n`;
}

function eventText(event: PathEvent): string {
  if (event.type === 'added') return 'added';
  if (event.type === 'removed') return 'deleted';
  return event.aspects.length === 0 ? 'written again' : `changed: ${event.aspects.join(', ')}`;
}

function eventLine(event: PathEvent, steps: readonly LayerStep[]): string {
  const step = steps[event.layer]!;
  const above = event.type === 'removed' && event.by !== event.before.entry.path ? ` with /${harmlessLine(event.by)}` : '';
  return `${stepName(step)}: ${eventText(event)}${above}: ${harmlessLine(step.text)}\n`;
}

function membersOf({ entry, layer, deleted, event }: ListedFile, steps: readonly LayerStep[]): object {
  const of = (index: number): object => {
    const { line, stage, text } = steps[index]!;
    return { layer: index, ...(line === undefined ? {} : { line }), ...(stage === undefined ? {} : { stage }), step: text };
  };
  return {
    ...entryMembers(entry), ...of(layer),
    ...(event ? { change: event.type, ...(event.type === 'changed' ? { aspects: event.aspects } : {}) } : {}),
    ...(deleted ? { deleted: { ...of(deleted.layer), by: `/${deleted.by}` } } : {}),
  };
}
