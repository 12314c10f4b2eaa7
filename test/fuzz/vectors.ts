/** Published test vectors as seeds; see the header of src/oci/vectors.suite.ts for where they are. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env.SIRU_CASES ?? join(import.meta.dirname, '../../../shared/cases');

interface Case {
  input: Record<string, unknown>;
}

/** One seed of each case of a file; none where the vectors are not at hand. */
export function vectorSeeds(name: string, seedOf: (input: Record<string, unknown>) => string | undefined): Uint8Array[] {
  const path = join(folder, name);
  if (!existsSync(path)) return [];
  const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: Case[] };
  return cases.flatMap(({ input }) => {
    const seed = seedOf(input);
    return seed === undefined ? [] : [Buffer.from(seed)];
  });
}

export function textOf(input: Record<string, unknown>): string | undefined {
  return typeof input.text === 'string' ? input.text : undefined;
}
