/** JSON with the names that a reader looks for and values that it does not expect. */
import type { Random } from './random.ts';

export const jsonDictionary: readonly string[] = ['{', '}', '[', ']', ',', ':', '""', 'null', 'true', '-1', '1e400', '9007199254740993', '"\\ud800"', '"__proto__":', '[['.repeat(60), '\ufeff'];

export function generateJson(random: Random, names: readonly string[], values: readonly unknown[]): string {
  const value = (depth: number): unknown => {
    switch (random.int(depth > 4 ? 3 : 6)) {
      case 0: return random.pick([null, true, -1, 1.5, 0, '', [], {}]);
      case 1: case 2: return random.pick(values);
      case 3: return Array.from({ length: random.int(4) }, () => value(depth + 1));
      default: return object(depth);
    }
  };
  const object = (depth: number): Record<string, unknown> => Object.fromEntries(Array.from({ length: random.int(7) }, () => [random.pick(names), value(depth + 1)]));
  return JSON.stringify(object(0));
}
