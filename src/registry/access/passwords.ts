/**
 * Checking passwords. bcrypt takes a tenth of a second by design: it runs in a thread of its own, what was checked is
 * remembered for a while under a hash, and equal questions at the same time are one.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { Refusal } from '../refusal.ts';
import { BoundedMap } from './bounded-map.ts';
import { largestPasswordFile, parsePasswords } from './password-file.ts';
import { createPasswordThread } from './password-thread.ts';
import { openWatchedFile } from './watched-file.ts';

/** Checked pairs of name and password that are remembered. */
const mostRemembered = 10_000;
/** Milliseconds for which a right password needs no check, and a wrong one gets none. */
const rightTime = 300_000;
const wrongTime = 10_000;
/** Checks that may wait in line. */
const mostChecks = 32;
/** Bytes of a password; bcrypt itself reads 72. */
const longestPassword = 1024;

export interface PasswordChecker {
  /** Throws a Refusal (UNAVAILABLE) when too many wait. */
  check(name: string, password: string): Promise<boolean>;
  /** Whether the answer is remembered, so that a check costs nothing. */
  isRemembered(name: string, password: string): boolean;
  has(name: string): boolean;
  /** Changes with the password of the user: for what must end with it. */
  stamp(name: string): string | undefined;
}

/** Throws CONFIG. */
export function openPasswords(path: string, onError: (error: unknown) => void): PasswordChecker {
  const file = openWatchedFile({ path, largest: largestPasswordFile, parse: parsePasswords, onError });
  const secret = randomBytes(32);
  const remembered = new BoundedMap<string, { answer: Promise<boolean>; until: number }>(mostRemembered);
  let version = file.version;
  let waiting = 0;
  const thread = createPasswordThread();

  const users = (): ReadonlyMap<string, string> => {
    const now = file.get();
    if (file.version !== version) {
      version = file.version;
      remembered.clear();
    }
    return now;
  };
  const keyOf = (name: string, password: string): string => createHmac('sha256', secret).update(`${name}\0${password}`).digest('base64');
  const recall = (key: string): Promise<boolean> | undefined => {
    const entry = remembered.get(key);
    return entry !== undefined && entry.until > Date.now() ? entry.answer : undefined;
  };
  const compare = (password: string, hash: string): Promise<boolean> => {
    if (waiting >= mostChecks) throw new Refusal('UNAVAILABLE', 'too many logins at once', { headers: { 'retry-after': '2' } });
    waiting++;
    return thread.compare(password, hash).finally(() => waiting--);
  };
  return {
    async check(name, password) {
      const known = users();
      if (Buffer.byteLength(password) > longestPassword) return false;
      const key = keyOf(name, password);
      const before = recall(key);
      if (before !== undefined) return before;
      const hash = known.get(name);
      const answer = compare(password, hash ?? unknownHash(known)).then((right) => right && hash !== undefined);
      const entry = { answer, until: Infinity };
      remembered.set(key, entry);
      try {
        const right = await answer;
        entry.until = Date.now() + (right ? rightTime : wrongTime);
        return right;
      } catch (error) {
        if (remembered.get(key) === entry) remembered.delete(key);
        throw error;
      }
    },
    isRemembered: (name, password) => users() !== undefined && recall(keyOf(name, password)) !== undefined,
    has: (name) => users().has(name),
    stamp(name) {
      const hash = users().get(name);
      return hash === undefined ? undefined : createHmac('sha256', 'siru refresh').update(hash).digest('base64url').slice(0, 22);
    },
  };
}

/** What an unknown user's password is compared with, so that it takes as long as a known one's. */
function unknownHash(known: ReadonlyMap<string, string>): string {
  const [first] = known.values();
  return `${first?.slice(0, 7) ?? '$2b$10$'}${'.'.repeat(53)}`;
}
