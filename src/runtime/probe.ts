/** What this machine can do for RUN, as data for `siru info`. */
import { userInfo } from 'node:os';
import { type SiruError, isSiruError, messageOf } from '../base/errors.ts';
import { subordinateIds } from './explain-missing.ts';
import { climb, noRuntime, type LadderOptions } from './isolation.ts';

export interface Probe {
  /** R0 root, R1 user namespace with subordinate ids, R5 no RUN. */
  rung: 'R0' | 'R1' | 'R5';
  runtime?: { name: string; path: string; version: string };
  /** Runtimes that do not work here, and why. */
  rejected: { name: string; why: string }[];
  snapshotter: 'overlay' | 'none';
  /** What a RUN may have. */
  network: ('host' | 'none')[];
  /** Memory and processors of a container can be limited. */
  cgroupLimits: boolean;
  /** How many user ids there are. */
  ids: number;
  /** What went wrong, when there is no way to RUN. */
  problem?: string;
  /** For each thing that is missing, the sentence that would bring it. */
  missing: string[];
}

/** Tries it. Never throws RUNTIME: that there is no way is an answer. */
export async function probe(options: LadderOptions): Promise<Probe> {
  const nothing: Probe = { rung: 'R5', rejected: [], snapshotter: 'none', network: [], cgroupLimits: false, ids: 1, missing: [] };
  let standing;
  try {
    standing = await climb(options);
  } catch (error) {
    if (!isSiruError(error) || error.code !== 'RUNTIME') throw error;
    return withProblem(nothing, error);
  }
  const { setup, abilities, connection } = standing;
  await connection.close();
  const { rejected, runtime } = abilities;
  if (!runtime) return withProblem({ ...nothing, rejected, snapshotter: 'overlay' }, noRuntime(abilities));
  const limits = setup.rung === 'R0' && (abilities.limits !== undefined || !runtime.cgroup2);
  const missing: string[] = [];
  if (!limits) missing.push(setup.rung === 'R0' ? 'Limits of memory and processors need runc here: install the package runc.' : 'Limits of memory and processors need root: cgroups are not delegated to this user.');
  const { name, path, version } = runtime;
  const ids = setup.rung === 'R0' ? 4294967295 : setup.nested ? 1 + subordinateIds('/etc/subuid', userInfo().username) : 65536;
  return { rung: setup.rung, runtime: { name, path, version }, rejected, snapshotter: 'overlay', network: ['host', 'none'], cgroupLimits: limits, ids, missing };
}

function withProblem(probe: Probe, error: SiruError): Probe {
  return { ...probe, problem: messageOf(error), missing: (error.hint ?? '').split('\n').filter((line) => line !== '') };
}
