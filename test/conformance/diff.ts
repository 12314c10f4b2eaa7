/** What differs between two outcomes, in lines that a person can read. */
import type { Outcome } from './case.ts';

/** `- recorded` and `+ Siru's` lines; none when they are equal. */
export function diff(recorded: Outcome, got: Outcome): string[] {
  const before = lines(recorded);
  const after = lines(got);
  const keys = [...new Set([...before.keys(), ...after.keys()])];
  return keys.flatMap((key) => {
    const [a, b] = [before.get(key), after.get(key)];
    if (a === b) return [];
    return [...(a === undefined ? [] : [`- ${key}${a}`]), ...(b === undefined ? [] : [`+ ${key}${b}`])];
  });
}

function lines(outcome: Outcome): Map<string, string> {
  const found = new Map<string, string>();
  if ('refused' in outcome) return found.set(`refused${outcome.line === undefined ? '' : ` at line ${outcome.line}`}: `, outcome.message.split('\n')[0]!);
  const flatten = (key: string, value: unknown): void => {
    // Members that are null or empty mean the same as those that are not there.
    if (value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length > 0) {
      for (const [name, member] of Object.entries(value)) flatten(`${key}.${name}`, member);
    } else found.set(`${key} = `, JSON.stringify(value));
  };
  flatten('config', outcome.config);
  for (const [at, entry] of outcome.history.entries()) found.set(`history ${at} = `, JSON.stringify(Object.fromEntries(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)))));
  for (const [at, entries] of outcome.layers.entries()) {
    found.set(`layer ${at}`, '');
    for (const entry of entries) {
      const path = /^(?:"(?:[^"\\]|\\.)*"|\S+) /.exec(entry)![0];
      // A path may be a folder and opaque, too.
      const kind = entry.endsWith(' opaque') ? 'opaque' : '';
      found.set(`layer ${at}: ${path}${kind && ' '}`, entry.slice(path.length));
    }
  }
  return found;
}
