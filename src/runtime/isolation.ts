/**
 * The ladder: which way to RUN this machine has. Every rung is tried, not guessed; what was found is kept beside the store
 * for this boot, so that later builds do not try again.
 */
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { release } from 'node:os';
import { dirname, join } from 'node:path';
import { SiruError, isSiruError, messageOf } from '../base/errors.ts';
import { stableJson } from '../base/json.ts';
import { callHelper, connect, type Connection } from './connection.ts';
import { explainMissing } from './explain-missing.ts';
import type { Abilities, Setup } from './messages.ts';
import { findProgram } from './runtimes.ts';
import { read, selfStatus, type SelfStatus } from './self-status.ts';

/** Which rungs may be taken: `auto` takes the best that works, `root` and `userns` that one, `none` is no way to RUN. */
export type Isolation = 'auto' | 'root' | 'userns' | 'none';

/** A rung that works, with its helper running. */
export interface Standing {
  setup: Setup;
  abilities: Abilities;
  connection: Connection;
}

export interface LadderOptions {
  isolation?: Isolation;
  /** A folder of the store (tmp/) for attempts; what was found is kept in the folder above it. */
  folder: string;
}

/** One rung that was tried in vain. */
export interface Attempt {
  what: 'root' | 'userns';
  why: string;
}

/** Reads the choice of a caller or of the environment. Throws USAGE. */
export function parseIsolation(text: string | undefined): Isolation {
  if (text === undefined || text === '') return 'auto';
  if (text === 'auto' || text === 'root' || text === 'userns' || text === 'none') return text;
  throw new SiruError('USAGE', `unknown isolation ${JSON.stringify(text)}`, { hint: 'It is one of auto, root, userns and none.' });
}

const sysAdmin = 1n << 21n;

/** Starts a helper on the best rung. Throws RUNTIME with what would make one possible. */
export async function climb(options: LadderOptions): Promise<Standing> {
  const chosen = options.isolation ?? 'auto';
  const isolation = chosen === 'auto' ? parseIsolation(process.env['SIRU_ISOLATION']) : chosen;
  const attempts: Attempt[] = [];
  if (process.platform !== 'linux') throw noWay([], ['RUN needs Linux. Everything else works here.']);
  if (isolation === 'none') throw noWay([], ['RUN was switched off: --isolation=none or SIRU_ISOLATION=none.']);
  const status = selfStatus();
  const key = cacheKey(status, isolation);
  const file = join(dirname(options.folder), 'isolation.json');
  const known = readKnown(file, key);
  if (known) {
    try {
      return await stand({ ...known.setup, folder: options.folder, abilities: known.abilities });
    } catch (error) {
      if (isSiruError(error)) throw error;
      // What worked does not any more: all is tried again.
    }
  }
  for (const setup of candidates(status, isolation, options.folder)) {
    try {
      const standing = await stand(setup);
      if (standing.abilities.runtime) keepKnown(file, key, standing);
      return standing;
    } catch (error) {
      attempts.push({ what: setup.nested ? 'userns' : 'root', why: messageOf(error) });
    }
  }
  throw noWay(attempts, explainMissing(attempts, status));
}

function candidates(status: SelfStatus, isolation: Isolation, folder: string): Setup[] {
  const runtime = process.env['SIRU_RUNTIME'] || undefined;
  const admin = (BigInt(`0x${status.capEff}`) & sysAdmin) !== 0n;
  const found: Setup[] = [];
  if (admin && isolation !== 'userns') {
    // Root of a pod's user namespace has no need of a second one.
    found.push({ rung: status.initialUserNamespace ? 'R0' : 'R1', nested: false, userns: !status.initialUserNamespace, folder, runtime });
  }
  if (isolation === 'userns' || (isolation === 'auto' && !admin)) found.push({ rung: 'R1', nested: true, userns: true, folder, runtime });
  return found;
}

async function stand(setup: Setup): Promise<Standing> {
  const connection = await connect(setup.nested);
  try {
    return { setup, abilities: await callHelper(connection, 'setup', setup), connection };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

function noWay(attempts: Attempt[], missing: string[]): SiruError {
  const tried = attempts.map(({ what, why }) => `${what === 'root' ? 'as root' : 'in a user namespace'}: ${why}`);
  return new SiruError('RUNTIME', ['this machine has no way to execute RUN or a container', ...tried].join('\n  '), { hint: missing.join('\n') });
}

/** The error for a rung on which no runtime works. */
export function noRuntime(abilities: Abilities): SiruError {
  const why = abilities.rejected.map((one) => `${one.name}: ${one.why}`);
  return new SiruError('RUNTIME', ['no OCI runtime works on this machine', ...why].join('\n  '), {
    hint: 'Install crun or runc (Debian, Ubuntu, Fedora, Alpine: the package crun).',
  });
}

interface Known {
  key: string;
  setup: Pick<Setup, 'rung' | 'nested' | 'userns'>;
  abilities: Abilities;
}

function cacheKey(status: SelfStatus, isolation: Isolation): string {
  const programs = ['crun', 'runc', 'unshare'].map((name) => {
    const path = findProgram(name);
    return path === undefined ? '' : `${path} ${statSync(path).mtimeMs}`;
  });
  const boot = read('/proc/sys/kernel/random/boot_id').trim();
  return stableJson({ format: 1, boot, kernel: release(), uid: process.geteuid?.(), status, isolation, programs, runtime: process.env['SIRU_RUNTIME'] ?? '' });
}

function readKnown(file: string, key: string): Known | undefined {
  try {
    const known = JSON.parse(readFileSync(file, 'utf8')) as Known;
    return known.key === key ? known : undefined;
  } catch {
    return undefined;
  }
}

function keepKnown(file: string, key: string, { setup, abilities }: Standing): void {
  const { rung, nested, userns } = setup;
  const fresh = `${file}.${process.pid}-${Math.random().toString(36).slice(2)}`;
  try {
    writeFileSync(fresh, JSON.stringify({ key, setup: { rung, nested, userns }, abilities } satisfies Known));
    renameSync(fresh, file);
  } catch {
    // A store that cannot be written will be told by what needs it.
  }
}
