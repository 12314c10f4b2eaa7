/** An ordinary user with subordinate ids, made for a test and removed after it. Needs root. */
import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { accessSync, chownSync, constants, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from './runtimes.ts';

/** Why none can be made here, or false. */
export function noOrdinaryUser(): string | false {
  if (process.getuid?.() !== 0) return 'needs root to make a user';
  for (const program of ['useradd', 'userdel', 'setpriv', 'newuidmap']) if (findProgram(program) === undefined) return `needs ${program}`;
  const mode = spawnSync(findProgram('setpriv')!, ['--reuid', '65534', '--regid', '65534', '--clear-groups', 'test', '-x', process.execPath, '-a', '-r', import.meta.filename]);
  return mode.status === 0 ? false : 'needs a checkout that other users can read';
}

export interface OrdinaryUser extends Disposable {
  name: string;
  /** A folder that belongs to the user. */
  home: string;
  /** Runs a program as the user, without root's environment. */
  run(args: string[], environment?: Record<string, string>): SpawnSyncReturns<string>;
}

export function makeOrdinaryUser(): OrdinaryUser {
  const name = `siru-test-${process.pid}`;
  const home = mkdtempSync(join(tmpdir(), 'siru-user-'));
  const useradd = spawnSync(findProgram('useradd')!, ['--system', '--no-create-home', '--home-dir', home, name], { encoding: 'utf8' });
  if (useradd.status !== 0) throw new Error(`useradd: ${useradd.stderr}`);
  const range = freeRange();
  spawnSync(findProgram('usermod')!, ['--add-subuids', range, '--add-subgids', range, name]);
  const { uid, gid } = idsOf(name);
  chownSync(home, uid, gid);
  return {
    name,
    home,
    run: (args, environment = {}) =>
      spawnSync(findProgram('setpriv')!, ['--reuid', String(uid), '--regid', String(gid), '--init-groups', ...args], {
        encoding: 'utf8',
        env: { PATH: process.env['PATH'], HOME: home, TMPDIR: home, USER: name, ...environment },
        maxBuffer: 1 << 26,
      }),
    [Symbol.dispose]() {
      spawnSync(findProgram('userdel')!, [name]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function idsOf(name: string): { uid: number; gid: number } {
  const fields = readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => line.split(':')).find(([user]) => user === name)!;
  return { uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** 65536 ids that nobody has. */
function freeRange(): string {
  let start = 200_000_000;
  try {
    accessSync('/etc/subuid', constants.R_OK);
    for (const line of readFileSync('/etc/subuid', 'utf8').split('\n')) {
      const [, first, count] = line.split(':').map(Number);
      if (first! + count! > start) start = first! + count!;
    }
  } catch {
    // There are no ranges at all.
  }
  return `${start}-${start + 65535}`;
}
