/** An ordinary user made for a test, with subordinate ids, a home and a copy of the program that he may read. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { needs } from './missing.ts';
import { command, ownProgram, projectRoot, startProgram } from './siru.ts';
import { settled } from './world.ts';

export interface TestUser extends AsyncDisposable {
  name: string;
  uid: number;
  home: string;
  /** Words before a command that make it this user's. */
  as: readonly string[];
  /** Environment of a log-in. */
  env: Record<string, string | undefined>;
  /** Words that start a siru that this user may read. */
  program: readonly string[];
}

export function userMissing(): string | false {
  return needs('root', 'useradd', 'userdel', 'setpriv', 'newuidmap');
}

export async function createUser(): Promise<TestUser> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-user-'));
  await command(['chmod', '755', folder]);
  const name = `siru-test-${process.pid}`;
  const home = join(folder, 'home');
  await command(['useradd', '--create-home', '--home-dir', home, '--shell', '/bin/sh', name]);
  const remove = async (): Promise<void> => {
    try {
      await settled(folder);
    } finally {
      await command(['userdel', name]);
      rmSync(folder, { recursive: true, force: true });
    }
  };
  try {
    await giveRange(name);
    const [uid, gid] = (await command(['id', '-u', name]) + await command(['id', '-g', name])).trim().split('\n') as [string, string];
    const as = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--init-groups'];
    const env = { HOME: home, USER: name, LOGNAME: name, PATH: process.env.PATH, TMPDIR: undefined, XDG_RUNTIME_DIR: undefined, XDG_DATA_HOME: undefined };
    return { name, uid: Number(uid), home, as, env, program: await readableProgram(folder, as, env), [Symbol.asyncDispose]: remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** useradd gives subordinate ids where login.defs says so; usermod does where it does not. */
async function giveRange(name: string): Promise<void> {
  for (const [file, flag] of [['/etc/subuid', '--add-subuids'], ['/etc/subgid', '--add-subgids']] as const) {
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
    if (lines.some((line) => line.startsWith(`${name}:`))) continue;
    const end = Math.max(100_000, ...lines.map((line) => line.split(':').slice(1).reduce((sum, part) => sum + (Number(part) || 0), 0)));
    await command(['usermod', flag, `${end}-${end + 65_535}`, name]);
  }
}

/** The project's own program where the user may read it, else a copy of what it needs. */
async function readableProgram(folder: string, as: readonly string[], env: Record<string, string | undefined>): Promise<readonly string[]> {
  const tried = await startProgram([...ownProgram, '--version'], { as, env }).ended.catch(() => undefined);
  if (tried?.code === 0) return ownProgram;
  const copy = join(folder, 'program');
  mkdirSync(copy);
  for (const part of ['bin', 'src', 'dist', '.node', 'package.json', 'node_modules/commander', 'node_modules/koffi', 'node_modules/@koromix']) {
    if (existsSync(join(projectRoot, part))) cpSync(join(projectRoot, part), join(copy, part), { recursive: true, verbatimSymlinks: true });
  }
  // Node itself may lie where only root may look.
  if (!existsSync(join(copy, '.node'))) {
    mkdirSync(join(copy, '.node'));
    cpSync(process.execPath, join(copy, '.node/node'));
  }
  await command(['chmod', '-R', 'a+rX', copy]);
  return [join(copy, 'bin/siru')];
}
