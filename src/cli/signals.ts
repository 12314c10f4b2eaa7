/** Ctrl-C and termination: the first asks the work to stop, the second ends the process at once. */

export interface Signals extends Disposable {
  signal: AbortSignal;
  /** 128 + n of the signal that stopped the work, if one did. */
  exitCode: () => number | undefined;
  /** Until it is disposed, signals stop nothing: somebody else passes them on. */
  pause: () => Disposable;
  /** The signal was the usual end of the work: the exit code is the work's own. */
  accept: () => void;
}

const stopping = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type Stopping = keyof typeof stopping;

export function watchSignals(): Signals {
  const controller = new AbortController();
  let came: Stopping | undefined;
  let paused = 0;
  let accepted = false;
  const onSignal = (name: Stopping): void => {
    if (paused > 0) return;
    if (came !== undefined) process.exit(128 + stopping[name]);
    came = name;
    controller.abort(new Error(name));
  };
  const names = Object.keys(stopping) as Stopping[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    exitCode: () => (came === undefined || accepted ? undefined : 128 + stopping[came]),
    accept: () => void (accepted = true),
    pause() {
      paused++;
      return { [Symbol.dispose]: () => void paused-- };
    },
    [Symbol.dispose]() {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
