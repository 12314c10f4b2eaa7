/** What a command gets: where the store is, how to stop, where to print. One per command line. */
import type { Command } from 'commander';
import type { Context } from '../base/context.ts';
import type { Event } from '../base/events.ts';
import type { RegistryOptions } from '../remote/configuration.ts';
import type { Store } from '../store/store.ts';

export interface Output {
  isTTY?: boolean;
  columns?: number;
  rows?: number;
  write(text: string | Uint8Array): boolean;
}

export interface Call {
  /** The words that named the command: `['image', 'ls']`. */
  path: string[];
  /** The words after `--`, for a command that takes a command. */
  rest: string[];
  debug: boolean;
  /** docker's configuration, when `--config` names one. */
  registries: RegistryOptions;
  environment: Readonly<Record<string, string | undefined>>;
  /** Fires at Ctrl-C and at a termination signal. */
  signal: AbortSignal;
  /** Signals stop nothing until it is disposed: the command passes them on. */
  pauseSignals: () => Disposable;
  /** The signal was the usual end of the command, which then has its own exit code: for a server. */
  acceptSignal: () => void;
  stdout: NodeJS.WriteStream;
  stderr: NodeJS.WriteStream;
  /** Text for standard output. */
  print(text: string): void;
  /** Text for standard error. */
  tell(text: string): void;
  /** The store, opened at the first call and closed when the command ends. */
  store(): Promise<Store>;
  /** The same for a command that writes nothing: opened for reading where there is a store already. */
  storeToRead(): Promise<Store>;
  /** Every command with its options, for completion. */
  wholeProgram(): Promise<Command>;
  context(emit?: (event: Event) => void): Context;
}
