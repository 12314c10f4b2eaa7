/** Ctrl-C and termination: the first asks the work to stop, the second ends the process at once. */

export interface Signals extends Disposable {
  signal: AbortSignal;
  /** 128 + n of the signal that stopped the work, if one did. */
  exitCode(): number | undefined;
  /**
   * From now until it is disposed, signals go to `take` (which passes them to a container) and stop nothing; the third
   * SIGINT or SIGTERM stops the work all the same.
   */
  forward(take: (name: NodeJS.Signals) => void): Disposable;
}

const stopping = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
const passedOn = ['SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGCONT'] as const;
type Stopping = keyof typeof stopping;

export function watchSignals(): Signals {
  const controller = new AbortController();
  let came: Stopping | undefined;
  let taker: { take: (name: NodeJS.Signals) => void; stops: number } | undefined;
  const onSignal = (name: Stopping): void => {
    if (taker && ++taker.stops < 3) return taker.take(name);
    if (came !== undefined) process.exit(128 + stopping[name]);
    came = name;
    controller.abort(new Error(name));
  };
  const names = Object.keys(stopping) as Stopping[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    exitCode: () => (came === undefined ? undefined : 128 + stopping[came]),
    forward(take) {
      const mine = (taker = { take, stops: 0 });
      const pass = (name: NodeJS.Signals): void => take(name);
      const extra = process.platform === 'win32' ? [] : passedOn;
      for (const name of extra) process.on(name, pass);
      return {
        [Symbol.dispose]() {
          for (const name of extra) process.off(name, pass);
          if (taker === mine) taker = undefined;
        },
      };
    },
    [Symbol.dispose]() {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
