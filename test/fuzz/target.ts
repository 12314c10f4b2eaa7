/** What is fuzzed: code that takes bytes of strangers, and the rule that it must keep for all of them. */
import { isSiruError, type SiruError } from '../../src/base/errors.ts';
import type { Random } from './random.ts';

export interface Target {
  name: string;
  /** Its part of a whole run, in thousandths. */
  share: number;
  /** Longest input in bytes; at most `largestInput`. */
  largest: number;
  seeds(): Uint8Array[];
  dictionary?: readonly string[];
  /** Makes an input from nothing; half of all inputs are made so, where there is such a way. */
  generate?(random: Random): Uint8Array;
  /**
   * Gives the input to the code. A SiruError is an answer like any other; what else is thrown is a find. The result is how
   * it ended, in a word: an ending that was not seen before makes the input a seed.
   */
  run(input: Uint8Array): unknown;
}

export const largestInput: number = 1 << 20;

/** What `work` gives, or the SiruError that it throws. Everything else passes through. */
export function answerOf<T>(work: () => T): T | SiruError {
  try {
    return work();
  } catch (error) {
    if (isSiruError(error)) return error;
    throw error;
  }
}

/** How a run ended: the kind of answer without the names and numbers in it. */
export function ending(answer: unknown): string {
  if (!isSiruError(answer)) return typeof answer === 'string' ? answer : typeof answer;
  return `${answer.code} ${answer.message.split('\n', 1)[0]!.slice(0, 300).replace(/"(?:[^"\\]|\\.)*"|'[^']*'|\d+/g, '_').slice(0, 60)}`;
}

/** A find: `text` says which rule was broken. */
export function broken(text: string): never {
  throw new Error(`rule broken: ${text}`);
}
