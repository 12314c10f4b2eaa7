/** What differs between the configurations and the histories of two images. Pure. */
import { stableJson } from '../../base/json.ts';
import type { History, ImageConfig } from '../../oci/image-config.ts';
import type { CompareOptions } from './compare-trees.ts';

export interface ConfigChange {
  /** `Env PATH`, `Labels org.example`, `Cmd`, `architecture`, ... */
  name: string;
  /** Absent when it was added. */
  before?: unknown;
  /** Absent when it was removed. */
  after?: unknown;
}

export interface HistoryChange {
  type: 'added' | 'removed';
  /** Where it stands in its history. */
  index: number;
  entry: History;
}

/** Members sorted by name. Creation times count when `times` says so; histories and layers are compared elsewhere. */
export function compareConfigs(before: ImageConfig, after: ImageConfig, { times = false }: CompareOptions = {}): ConfigChange[] {
  return compareMaps(membersOf(before, times), membersOf(after, times));
}

/** What was taken out and put in between the equal beginnings and ends of two histories. */
export function compareHistories(before: readonly History[] = [], after: readonly History[] = [], { times = false }: CompareOptions = {}): HistoryChange[] {
  const key = ({ created, ...entry }: History): string => stableJson(times ? { created, ...entry } : entry);
  const [left, right] = [before.map(key), after.map(key)];
  const shortest = Math.min(left.length, right.length);
  let start = 0;
  while (start < shortest && left[start] === right[start]) start++;
  let end = 0;
  while (end < shortest - start && left.at(-1 - end) === right.at(-1 - end)) end++;
  const between = (type: HistoryChange['type'], history: readonly History[]): HistoryChange[] =>
    history.slice(start, history.length - end).map((entry, i) => ({ type, index: start + i, entry }));
  return [...between('removed', before), ...between('added', after)];
}

/** Every member under the name that people know it by. */
function membersOf({ rootfs: _rootfs, history: _history, config = {}, created, ...rest }: ImageConfig, times: boolean): Map<string, unknown> {
  const members = new Map<string, unknown>(Object.entries(rest));
  if (times) members.set('created', created);
  for (const [name, value] of Object.entries(config as Record<string, unknown>)) {
    if (name === 'Env' && Array.isArray(value)) {
      const variables = value as string[];
      for (const variable of variables) {
        const [, key, text] = /^([^=]*)=?([^]*)$/.exec(variable)!;
        members.set(`Env ${key}`, text);
      }
    } else if ((name === 'Labels' || name === 'ExposedPorts' || name === 'Volumes') && typeof value === 'object' && value !== null) {
      for (const [key, member] of Object.entries(value)) members.set(`${name} ${key}`, member);
    } else members.set(name, value);
  }
  return members;
}

function compareMaps(before: ReadonlyMap<string, unknown>, after: ReadonlyMap<string, unknown>): ConfigChange[] {
  const changes: ConfigChange[] = [];
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [a, b] = [plain(before.get(name)), plain(after.get(name))];
    if (a === b) continue;
    const change: ConfigChange = { name };
    if (a !== undefined) change.before = before.get(name);
    if (b !== undefined) change.after = after.get(name);
    changes.push(change);
  }
  return changes;
}

/** Absent, null and an empty list mean one thing in a configuration. */
function plain(value: unknown): string | undefined {
  if (value === undefined || value === null || (Array.isArray(value) && value.length === 0)) return undefined;
  return stableJson(value);
}
