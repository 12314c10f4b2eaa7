/** Work that many ask for at once, done once. */

/** Gives a function: calls with one key share the work that runs. */
export function singleFlight(): <Result>(key: string, work: () => Promise<Result>) => Promise<Result> {
  const running = new Map<string, Promise<unknown>>();
  return <Result>(key: string, work: () => Promise<Result>): Promise<Result> => {
    const found = running.get(key);
    if (found !== undefined) return found as Promise<Result>;
    const mine = work().finally(() => running.delete(key));
    running.set(key, mine);
    return mine;
  };
}
