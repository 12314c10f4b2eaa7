/** Progress of pulls, pushes, loads and saves: a line per blob. */
import type { Event } from '../../base/events.ts';
import { harmlessLine } from '../sanitize.ts';
import { humanSize } from '../units.ts';
import { clip } from '../width.ts';
import type { Progress, ProgressOptions } from './progress.ts';
import { createScreen, restoreTerminal } from './screen.ts';
import { applyEvent, createProgressState } from './state.ts';
import type { TransferView } from './state.ts';
import { warningsText } from './summary.ts';

type Direction = TransferView['direction'];

const doing: Record<Direction, string> = { pull: 'Pulling', push: 'Pushing', copy: 'Copying', download: 'Downloading', unpack: 'Unpacking', compress: 'Compressing', write: 'Writing' };
const finished: Record<Direction, string> = { pull: 'Pull complete', push: 'Pushed', copy: 'Copied', download: 'Downloaded', unpack: 'Unpacked', compress: 'Compressed', write: 'Written' };

/** What is said of one transfer; `bar` adds how far it is. */
export function transferText(view: TransferView, now: number, bar: boolean): string {
  const what = `${harmlessLine(view.what)}: `;
  switch (view.state) {
    case 'waiting':
      return `${what}Waiting`;
    case 'exists':
      return `${what}${view.direction === 'push' ? 'Layer already exists' : 'Already exists'}`;
    case 'mounted':
      return `${what}Mounted from another repository`;
    case 'failed':
      return `${what}Failed`;
    case 'done':
      return `${what}${finished[view.direction]}`;
    case 'moving': {
      if (!bar) return `${what}${doing[view.direction]}`;
      const { bytes = 0, total } = view;
      const elapsed = (now - view.since) / 1000;
      const speed = elapsed > 0.5 ? `  ${humanSize(bytes / elapsed)}/s` : '';
      if (total === undefined || total === 0) return `${what}${doing[view.direction]}  ${humanSize(bytes)}${speed}`;
      const filled = Math.round(Math.min(1, bytes / total) * 30);
      return `${what}${doing[view.direction]} [${'='.repeat(Math.max(0, filled - 1))}${filled > 0 ? '>' : ''}${' '.repeat(30 - filled)}] ${humanSize(bytes)}/${humanSize(total)}${speed}`;
    }
  }
}

export interface TransferProgress extends Progress {
  /** The last thing that was said of the whole: `app:1 is up to date`. */
  status(): string | undefined;
}

export function createTransferProgress({ terminal, quiet, environment }: Pick<ProgressOptions, 'terminal' | 'environment'> & { quiet: boolean }): TransferProgress {
  const state = createProgressState(Date.now());
  const screen = terminal.isTTY === true && environment.TERM !== 'dumb' && !quiet ? createScreen(terminal) : undefined;
  let changed = false;
  const told = new Map<string, string>();
  const lines = (rows: number | undefined): string[] => {
    const all = [...state.transfers.values()];
    const active = all.filter(({ state: at }) => at === 'moving' || at === 'failed');
    const kept = rows === undefined || all.length <= rows ? all : [...active, ...all.filter((view) => !active.includes(view))].slice(0, rows);
    return kept.map((view) => clip(transferText(view, Date.now(), true), (terminal.columns || 80) - 1));
  };
  const draw = (): void => {
    if (!changed) return;
    changed = false;
    screen!.draw(lines((terminal.rows || 24) - 1));
  };
  const timer = screen && setInterval(draw, 100);
  timer?.unref();
  const restore = (): void => void terminal.write(restoreTerminal);
  if (screen) process.once('exit', restore);
  return {
    status: () => state.status,
    event(event: Event) {
      const now = Date.now();
      applyEvent(state, event, now);
      if (event.type === 'transfer' && !screen && !quiet) {
        const text = transferText({ ...event, since: now }, now, false);
        if (event.state !== 'waiting' && told.get(event.what) !== text) terminal.write(`${text}\n`);
        told.set(event.what, text);
      }
      changed = true;
    },
    finish() {
      if (timer) clearInterval(timer);
      if (screen) {
        process.off('exit', restore);
        if (state.transfers.size > 0) screen.finish(lines(undefined));
      }
      const warnings = warningsText(state);
      if (warnings !== '') terminal.write(warnings);
    },
  };
}
