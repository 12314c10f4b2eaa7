/** Inputs that once broke a rule. They are kept as files and replayed by found.test.ts. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, 'found');

/** Gives the path. */
export function keepInput(target: string, input: Uint8Array): string {
  mkdirSync(join(folder, target), { recursive: true });
  const path = join(folder, target, createHash('sha256').update(input).digest('hex').slice(0, 16));
  writeFileSync(path, input);
  return path;
}

export function keptInputs(): { target: string; name: string; input: Uint8Array }[] {
  return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).flatMap(({ name: target }) =>
    readdirSync(join(folder, target)).sort().map((name) => ({ target, name, input: readFileSync(join(folder, target, name)) })),
  );
}
