/** Signals: their names as images write them, and passing on those that this process gets. */
import { constants } from 'node:os';
import { SiruError } from '../base/errors.ts';
import type { ContainerControl } from './options.ts';

/** `SIGTERM`, `TERM`, `15` or `SIGRTMIN+3`. Throws USAGE. */
export function signalNumber(text: string): number {
  const upper = text.toUpperCase();
  if (/^\d+$/.test(upper) && Number(upper) >= 1 && Number(upper) <= 64) return Number(upper);
  const name = upper.startsWith('SIG') ? upper : `SIG${upper}`;
  // Node does not name them. glibc and musl keep the first two or three for themselves; docker counts from 34 too.
  const realTime = /^SIGRTMIN(?:\+(\d+))?$/.exec(name) ?? /^SIGRTMAX(?:-(\d+))?$/.exec(name);
  if (realTime) {
    const number = name.startsWith('SIGRTMIN') ? 34 + Number(realTime[1] ?? 0) : 64 - Number(realTime[1] ?? 0);
    if (number >= 34 && number <= 64) return number;
  }
  const number = (constants.signals as Record<string, number>)[name];
  if (number === undefined) throw new SiruError('USAGE', `unknown signal ${JSON.stringify(text)}`);
  return number;
}

const passedOn = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2'] as const;
/** After so many requests to end, docker's client ends at once too. */
const patience = 3;

/**
 * Passes the signals that this process gets on to a container, each once, and changes of the terminal's size; until it is
 * disposed. `giveUp` is called when the user asks a third time for the end of a container that does not end.
 */
export function forwardSignals(control: ContainerControl, giveUp: () => void): Disposable {
  let requests = 0;
  const handlers = passedOn.map((signal) => {
    const handler = (): void => {
      if ((signal === 'SIGINT' || signal === 'SIGTERM') && ++requests >= patience) giveUp();
      else void control.kill(signal).catch(() => {});
    };
    process.on(signal, handler);
    return { signal: signal as NodeJS.Signals, handler };
  });
  const resize = (): void => void control.resize().catch(() => {});
  process.on('SIGWINCH', resize);
  return {
    [Symbol.dispose]() {
      for (const { signal, handler } of handlers) process.off(signal, handler);
      process.off('SIGWINCH', resize);
    },
  };
}
