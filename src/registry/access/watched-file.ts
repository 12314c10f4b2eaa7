/** A file that is read again when it changed, without a restart. */
import { readFileSync, statSync } from 'node:fs';
import { SiruError, messageOf } from '../../base/errors.ts';

/** Milliseconds between two looks. */
const lookInterval = 1000;

export interface WatchedFile<Value> {
  /** What stands in it now. A file that was made wrong, or went, leaves what it had before; onError is told once. */
  get(): Value;
  /** Counts how often it was read. */
  readonly version: number;
}

export interface WatchedFileOptions<Value> {
  path: string;
  /** Bytes that it may have. */
  largest: number;
  parse: (text: string) => Value;
  onError: (error: unknown) => void;
}

/** Throws CONFIG when it cannot be read, or parse throws. */
export function openWatchedFile<Value>({ path, largest, parse, onError }: WatchedFileOptions<Value>): WatchedFile<Value> {
  const signatureOf = (): string => {
    const { mtimeMs, ctimeMs, size, ino } = statSync(path);
    if (size > largest) throw new Error(`it is larger than ${largest} bytes`);
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`;
  };
  const fault = (error: unknown): SiruError => new SiruError('CONFIG', `cannot use ${path}: ${messageOf(error)}`, { cause: error });
  let seen: string;
  let value: Value;
  let version = 0;
  let looked = Date.now();
  let told: string | undefined;
  try {
    seen = signatureOf();
    value = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw fault(error);
  }
  const look = (): void => {
    let now = 'gone';
    let text: string;
    try {
      now = signatureOf();
      if (now === seen) {
        told = undefined;
        return;
      }
      text = readFileSync(path, 'utf8');
    } catch (error) {
      // It may be readable the next time: a user who was taken out must not stay in because no descriptor was free.
      if (told !== now) onError(fault(error));
      told = now;
      return;
    }
    try {
      value = parse(text);
      version++;
    } catch (error) {
      onError(fault(error));
    }
    seen = now;
    told = undefined;
  };
  return {
    get() {
      const now = Date.now();
      if (now - looked >= lookInterval || now < looked) {
        looked = now;
        look();
      }
      return value;
    },
    get version() {
      return version;
    },
  };
}
