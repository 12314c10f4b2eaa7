/** Finds the OCI runtime that works here, by running a container of nothing with it. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../base/errors.ts';
import { mount, mountFlags } from '../sys/mount.ts';
import { createSpec } from './bundle.ts';
import type { RuntimeChoice } from './messages.ts';

/** Where programs of the system are, also for users whose PATH leaves them out. */
const systemFolders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'];

/** Absolute path of a program, or undefined. */
export function findProgram(name: string): string | undefined {
  for (const folder of [...(process.env['PATH'] ?? '').split(':'), ...systemFolders]) {
    if (!folder.startsWith('/')) continue;
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {}
  }
  return undefined;
}

const cgroupRoot = '/sys/fs/cgroup';
const cgroup2Type = 0x63677270; // linux/magic.h

function isCgroup2(): boolean {
  try {
    return statfsSync(cgroupRoot).type === cgroup2Type;
  } catch {
    return false;
  }
}

/** Shows cgroup v2 at its usual place, in this process's mount namespace alone. */
export function mountCgroup2(): void {
  if (!isCgroup2()) mount(cgroupRoot, { type: 'cgroup2', source: 'cgroup2', flags: mountFlags.nosuid | mountFlags.nodev | mountFlags.noexec });
}

/** The arguments that every call of a runtime begins with. */
export function runtimeArguments(choice: Pick<RuntimeChoice, 'name'>, state: string, log: string, cgroups: boolean): string[] {
  const common = ['--root', state, '--log', log, '--log-format', 'json'];
  // Without limits there is nothing for a cgroup to do, and what is not made need not be removed after a kill.
  return choice.name === 'crun' ? [`--cgroup-manager=${cgroups ? 'cgroupfs' : 'disabled'}`, ...common] : common;
}

export interface RuntimeSearch {
  runtime?: RuntimeChoice;
  limits?: RuntimeChoice;
  rejected: { name: string; why: string }[];
}

/** crun starts in a quarter of runc's time, so it comes first. `only` restricts the search to one. */
export function findRuntime(folder: string, userns: boolean, only?: string): RuntimeSearch {
  const rejected: RuntimeSearch['rejected'] = [];
  for (const name of ['crun', 'runc'] as const) {
    if (only !== undefined && only !== name) {
      rejected.push({ name, why: `SIRU_RUNTIME is ${only}` });
      continue;
    }
    const path = findProgram(name);
    if (path === undefined) {
      rejected.push({ name, why: 'not installed' });
      continue;
    }
    const choice: RuntimeChoice = { name, path, version: versionOf(path), cgroup2: name === 'crun' && !isCgroup2() };
    const why = tryRuntime(choice, folder, userns);
    if (why === undefined) return withLimits({ runtime: choice, rejected });
    rejected.push({ name, why });
  }
  return { rejected };
}

/** On a machine with cgroup v1 crun runs in a cgroup v2 that has no controllers; runc keeps limits there. */
function withLimits(search: RuntimeSearch): RuntimeSearch {
  const { runtime } = search;
  if (!runtime?.cgroup2) return search;
  const path = findProgram('runc');
  if (path !== undefined) search.limits = { name: 'runc', path, version: versionOf(path), cgroup2: false };
  return search;
}

function versionOf(path: string): string {
  return /version (\S+)/.exec(spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1] ?? 'unknown';
}

/** Undefined when it works, else why not. */
function tryRuntime(choice: RuntimeChoice, folder: string, userns: boolean): string | undefined {
  const base = mkdtempSync(join(folder, 'runtime-'));
  try {
    if (choice.cgroup2) mountCgroup2();
    for (const name of ['rootfs', 'state']) mkdirSync(join(base, name));
    for (const name of ['proc', 'dev', 'sys']) mkdirSync(join(base, 'rootfs', name));
    const spec = createSpec(
      { args: ['/siru-probe'], env: [], cwd: '/', user: { uid: 0, gid: 0, groups: [0] }, hostname: 'probe', mounts: [], network: 'host' },
      {
        rootfs: join(base, 'rootfs'), userns, architecture: process.arch, user: { uid: 0, gid: 0, groups: [0] }, mounts: [], etc: {},
        terminal: false, allCapabilities: [],
      },
    );
    writeFileSync(join(base, 'config.json'), JSON.stringify(spec));
    const log = join(base, 'log');
    const args = [...runtimeArguments(choice, join(base, 'state'), log, false), 'run', '--bundle', base, `siru-probe-${process.pid}`];
    const { error } = spawnSync(choice.path, args, { stdio: 'ignore', timeout: 20_000 });
    if (error) return messageOf(error);
    // The tree holds no program at all: that this is the only complaint says that everything before it worked.
    const message = lastError(readFileSync(log, 'utf8')) ?? 'it did not say what went wrong';
    return message.includes('/siru-probe') ? undefined : message;
  } catch (error) {
    return messageOf(error);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

/** The last complaint in a runtime's log of JSON lines. */
export function lastError(log: string): string | undefined {
  let found: string | undefined;
  for (const line of log.split('\n')) {
    try {
      const entry = JSON.parse(line) as { level?: string; msg?: string };
      if ((entry.level === 'error' || entry.level === 'fatal') && typeof entry.msg === 'string') found = entry.msg;
    } catch {}
  }
  return found;
}
