/** Ctrl-C and termination: the first asks the work to stop, the second ends the process at once. */

export interface Signals extends Disposable {
  signal: AbortSignal;
  /** 128 + n of the signal that came, if one did. */
  exitCode(): number | undefined;
}

const numbers = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;
type Name = keyof typeof numbers;

export function watchSignals(): Signals {
  const controller = new AbortController();
  let came: Name | undefined;
  const onSignal = (name: Name): void => {
    if (came !== undefined) process.exit(128 + numbers[name]);
    came = name;
    controller.abort(new Error(name));
  };
  const names = Object.keys(numbers) as Name[];
  for (const name of names) process.on(name, onSignal);
  return {
    signal: controller.signal,
    exitCode: () => (came === undefined ? undefined : 128 + numbers[came]),
    [Symbol.dispose]() {
      for (const name of names) process.off(name, onSignal);
    },
  };
}
