/** Whether a result is worth its way: seconds that it saves against bytes that somebody has to fetch for it. Pure. */

/** Bytes that a network brings in a second, at the least what a runner of a CI has. */
const bytesPerSecond = 50_000_000;
/** Milliseconds of the requests that a record and its layer take. */
const requestCost = 50;

export interface Worth {
  /** Milliseconds that it took to execute. */
  took: number;
  /** Bytes of its layer. */
  size: number;
  /** Bytes of layers that have to be fetched to execute it: those of the stages that it takes files from. */
  inputs: number;
}

export function isWorthSending({ took, size, inputs }: Worth): boolean {
  return took + fetching(inputs) > requestCost + fetching(size);
}

function fetching(bytes: number): number {
  return (bytes / bytesPerSecond) * 1000;
}
