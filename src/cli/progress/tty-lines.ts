/** The picture that a terminal shows of a build or a transfer: a function of state, time and size. */
import { harmlessLine, harmlessLog, withoutColour } from '../sanitize.ts';
import { humanSize, seconds } from '../units.ts';
import { clip, displayWidth } from '../width.ts';
import { countSteps, stepLabel } from './state.ts';
import type { ProgressState, StepView, TransferView } from './state.ts';

export interface Canvas {
  columns: number;
  /** Lines that may be used; undefined for the picture that stays. */
  rows?: number;
  now: number;
  colour: boolean;
  /** What is being done: `Building`, `Pulling app:1`. */
  title: string;
  /** Lines of output shown of a running step. */
  logLines: number;
  finished?: 'done' | 'failed' | 'cancelled';
}

type Paint = 'blue' | 'cyan' | 'red' | 'yellow' | 'dim';

const codes: Record<Paint, number> = { blue: 34, cyan: 36, red: 31, yellow: 33, dim: 2 };

export function ttyLines(state: ProgressState, canvas: Canvas): string[] {
  const header = headerLine(state, canvas);
  const steps = [...state.steps.values()].map((view) => ({ line: stepLine(view, canvas), view }));
  const transfers = [...state.transfers.values()].filter((view) => shown(view, canvas)).map((view) => transferLine(view, canvas));
  const status = state.status !== undefined && !canvas.finished ? [paint(clip(` => ${harmlessLine(state.status)}`, canvas.columns - 1), 'dim', canvas)] : [];

  const running = steps.filter(({ view }) => view.status === undefined);
  const room = canvas.rows === undefined ? Infinity : Math.max(1, canvas.rows - 1 - status.length);
  // When the screen is too low, finished steps go first (oldest before), then output, then transfers.
  const logRoom = canvas.finished || running.length === 0 ? 0 : Math.max(0, Math.min(canvas.logLines, Math.floor((room - running.length - Math.min(transfers.length, 4)) / running.length)));
  const moving = room === Infinity ? transfers : transfers.slice(0, Math.max(0, room - running.length - logRoom * running.length));
  let spare = room - running.length - moving.length - running.reduce((sum, { view }) => sum + Math.min(logRoom, view.tail.length), 0);
  const kept = new Set<StepView>();
  for (const { view } of steps.toReversed()) {
    if (view.status === undefined) kept.add(view);
    else if (spare-- > 0) kept.add(view);
  }
  const lines = [header];
  for (const { line, view } of steps) {
    if (!kept.has(view)) continue;
    lines.push(line);
    if (view.status === undefined && logRoom > 0) lines.push(...tailLines(view, logRoom, canvas));
  }
  lines.push(...moving, ...status);
  return canvas.rows === undefined ? lines : lines.slice(0, Math.max(1, canvas.rows));
}

function headerLine(state: ProgressState, canvas: Canvas): string {
  const { done, total } = countSteps(state);
  const count = total > 0 ? ` (${done}/${total})` : '';
  const ends = { done: ' FINISHED', failed: ' FAILED', cancelled: ' CANCELED' };
  const text = `[+] ${canvas.title} ${seconds(state.done?.took ?? canvas.now - state.started)}${count}${canvas.finished ? ends[canvas.finished] : ''}`;
  return paint(clip(text, canvas.columns - 1), canvas.finished === 'failed' ? 'red' : canvas.finished === 'done' ? 'blue' : undefined, canvas);
}

const marks: Record<string, string> = { cached: 'CACHED ', same: 'SAME ', failed: 'ERROR ', cancelled: 'CANCELED ' };

function stepLine(view: StepView, canvas: Canvas): string {
  const { status } = view;
  const mark = status === undefined ? '' : (marks[status] ?? '');
  const left = ` => ${mark}${harmlessLine(stepLabel(view.step))}`;
  const time = seconds(view.took ?? canvas.now - view.started).padStart(6);
  const size = view.bytes === undefined ? '' : humanSize(view.bytes);
  const reason = status === 'cached' || view.reason === undefined ? '' : `missed: ${harmlessLine(view.reason)}`;
  const missed = status === 'same' ? ['executed, same result', reason].filter((text) => text !== '').join('; ') : reason;
  const line = spread(left, missed, `${size.padStart(7)}${time}`, canvas.columns - 1);
  const colour: Paint | undefined = status === undefined ? undefined : status === 'failed' ? 'red' : status === 'cancelled' ? 'yellow' : status === 'cached' ? 'dim' : 'blue';
  return paint(line, colour, canvas);
}

/** Columns that the left keeps when the middle wants room. */
const leastLeft = 30;

/** Left and right at the edges; the middle stands before the right. The left is cut first, then the middle, but not below a third of the line. */
function spread(left: string, middle: string, right: string, columns: number): string {
  if (columns < 30) return clip(left, columns);
  const room = columns - displayWidth(right) - 1;
  const third = Math.floor(room / 3);
  const wanted = displayWidth(middle);
  const forMiddle = wanted === 0 ? 0 : Math.min(wanted, Math.max(third, room - Math.min(leastLeft, displayWidth(left)) - 2));
  const start = clip(left, room - (forMiddle > 0 ? forMiddle + 2 : 0));
  const end = clip(middle, forMiddle);
  return `${start}${' '.repeat(Math.max(0, room - displayWidth(start) - displayWidth(end)))}${end} ${right}`;
}

function tailLines(view: StepView, count: number, canvas: Canvas): string[] {
  return view.tail.slice(-count).map((line) => {
    const text = harmlessLog(line).replaceAll('\t', '    ');
    return paint(clip(` => => # ${canvas.colour ? text : withoutColour(text)}`, canvas.columns - 1), 'dim', canvas);
  });
}

function shown(view: TransferView, canvas: Canvas): boolean {
  return !canvas.finished && (view.state === 'moving' || view.state === 'failed');
}

function transferLine(view: TransferView, canvas: Canvas): string {
  const { bytes = 0, total } = view;
  const elapsed = Math.max(1, canvas.now - view.since) / 1000;
  const amount = total === undefined ? humanSize(bytes) : `${humanSize(bytes)} / ${humanSize(total)}`;
  const speed = view.state === 'moving' && bytes > 0 && elapsed > 0.5 ? `${humanSize(bytes / elapsed)}/s` : '';
  const line = spread(` => => ${view.direction} ${harmlessLine(view.what)}`, amount, speed.padStart(13), canvas.columns - 1);
  return paint(line, view.state === 'failed' ? 'red' : 'cyan', canvas);
}

function paint(text: string, colour: Paint | undefined, canvas: Canvas): string {
  if (!canvas.colour || colour === undefined) return text;
  // Colours inside the text end ours too, so ours is set again after each.
  const on = `\x1b[${codes[colour]}m`;
  return `${on}${text.replaceAll('\x1b[0m', `\x1b[0m${on}`)}\x1b[0m`;
}
