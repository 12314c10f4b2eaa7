/** The front ends of the event stream: each takes events and shows them its way. */
import { isSiruError, messageOf } from '../../base/errors.ts';
import type { Event } from '../../base/events.ts';
import type { ProgressMode } from './modes.ts';
import { createPlainProgress } from './plain.ts';
import { harmlessJson } from '../sanitize.ts';
import { createScreen, restoreTerminal } from './screen.ts';
import type { Terminal } from './screen.ts';
import { applyEvent, createProgressState } from './state.ts';
import { failureText, summaryText, warningsText } from './summary.ts';
import { ttyLines } from './tty-lines.ts';

export interface Progress {
  event(event: Event): void;
  /** Ends the display. Call it once, before anything else is printed. */
  finish(error?: unknown): void;
}

export interface ProgressOptions {
  mode: ProgressMode;
  /** Where tty and plain go. */
  terminal: Terminal & { isTTY?: boolean; on?(event: 'resize', listener: () => void): unknown; off?(event: 'resize', listener: () => void): unknown };
  /** Where JSON goes. */
  out: { write(text: string): unknown };
  title: string;
  environment: Readonly<Record<string, string | undefined>>;
  /** Makes a stored name readable. */
  short: (name: string) => string;
}

const interval = 100;
const failureLines = 20;

export function createProgress(options: ProgressOptions): Progress {
  const { mode, terminal } = options;
  if (mode === 'json') return jsonProgress(options.out);
  const isTty = terminal.isTTY === true;
  if (mode === 'tty' || (mode === 'auto' && isTty && options.environment.TERM !== 'dumb')) return ttyProgress(options);
  return lineProgress(options, mode === 'quiet');
}

function jsonProgress(out: { write(text: string): unknown }): Progress {
  const write = (value: object): void => void out.write(`${harmlessJson(JSON.stringify({ time: new Date().toISOString(), ...value }))}\n`);
  return {
    event: write,
    finish(error) {
      if (error === undefined) return;
      const known = isSiruError(error) ? { code: error.code, hint: error.hint } : {};
      write({ type: 'failed', message: messageOf(error), ...known });
    },
  };
}

/** Plain, and quiet, which is plain that tells only of failure. */
function lineProgress({ terminal, short }: ProgressOptions, quiet: boolean): Progress {
  const started = Date.now();
  const state = createProgressState(started);
  const plain = createPlainProgress({ started, terminal: terminal.isTTY === true });
  return {
    event(event) {
      const now = Date.now();
      applyEvent(state, event, now);
      if (quiet) return;
      const text = plain.text(event, now);
      if (text !== '') terminal.write(text);
    },
    finish(error) {
      const text = (error === undefined ? '' : failureText(state, failureLines)) + (quiet ? '' : warningsText(state) + summaryText(state, short));
      if (text !== '') terminal.write(quiet || state.steps.size === 0 ? text : `\n${text}`);
    },
  };
}

function ttyProgress({ terminal, title, environment, short }: ProgressOptions): Progress {
  const state = createProgressState(Date.now());
  const screen = createScreen(terminal);
  const colour = (environment.NO_COLOR ?? '') === '' && environment.TERM !== 'dumb';
  const logLines = /^\d+$/.test(environment.BUILDKIT_TTY_LOG_LINES ?? '') ? Number(environment.BUILDKIT_TTY_LOG_LINES) : 6;
  let changed = false;
  let lastDraw = 0;
  const picture = (finished?: 'done' | 'failed' | 'cancelled'): string[] =>
    ttyLines(state, { columns: terminal.columns || 80, rows: finished ? undefined : (terminal.rows || 24) - 1, now: Date.now(), colour, title, logLines, finished });
  const draw = (): void => {
    // Running clocks tick by tenths; a full picture ten times a second is enough, and none when nothing is under way.
    if (!changed && state.steps.size + state.transfers.size === 0) return;
    changed = false;
    lastDraw = Date.now();
    screen.draw(picture());
  };
  const timer = setInterval(draw, interval);
  timer.unref();
  const restore = (): void => void terminal.write(restoreTerminal);
  process.once('exit', restore);
  const onResize = (): void => draw();
  terminal.on?.('resize', onResize);
  return {
    event(event) {
      applyEvent(state, event, Date.now());
      changed = true;
      // The event loop may be busy with files for long; then events themselves keep the picture alive.
      if (Date.now() - lastDraw >= interval && lastDraw > 0) draw();
    },
    finish(error) {
      clearInterval(timer);
      process.off('exit', restore);
      terminal.off?.('resize', onResize);
      const cancelled = isSiruError(error) && error.code === 'CANCELLED';
      if (state.steps.size > 0 || lastDraw > 0) screen.finish(picture(error === undefined ? 'done' : cancelled ? 'cancelled' : 'failed'));
      const text = (error === undefined ? '' : failureText(state, failureLines)) + warningsText(state) + summaryText(state, short);
      if (text !== '') terminal.write(text);
    },
  };
}
