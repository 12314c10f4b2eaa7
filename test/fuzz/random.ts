/** Numbers that look random and come again from the same seed. */

export interface Random {
  /** A whole number from 0 to below `bound`. */
  int(bound: number): number;
  /** True once in `times`. */
  once(times: number): boolean;
  pick<T>(list: readonly T[]): T;
}

/** Marsaglia's xorshift with a counter added (sfc32). `seeds` are mixed first, so that neighbours have nothing in common. */
export function createRandom(...seeds: number[]): Random {
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
  const next = (): number => {
    const sum = (a + b + d++) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (const seed of seeds) {
    a ^= seed;
    b ^= Math.floor(seed / 2 ** 32);
    for (let i = 0; i < 12; i++) next();
  }
  const int = (bound: number): number => Math.floor((next() / 2 ** 32) * bound);
  return { int, once: (times) => int(times) === 0, pick: (list) => list[int(list.length)]! };
}

/** A number for a name, to seed with. */
export function seedOf(name: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) sum = Math.imul(sum ^ name.charCodeAt(i), 0x01000193);
  return sum >>> 0;
}
