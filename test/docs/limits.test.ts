/** docs/limits.md tells the limits that the code has. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const rows = [...readFileSync(join(root, 'docs/limits.md'), 'utf8').matchAll(/^\| .+ \| (.+) \| `(\w+)` in `([\w./-]+)` \| .+ \|$/gm)];
const units: Record<string, number> = { KiB: 2 ** 10, MiB: 2 ** 20, Mi: 2 ** 20, GiB: 2 ** 30 };

/** `10,000`, `16 MiB`. */
function told(text: string): number {
  const [number = '', unit] = text.split(' ');
  return Number(number.replaceAll(',', '')) * (unit === undefined ? 1 : units[unit]!);
}

/** The value of a constant: numbers with `*`, `**` and `<<` between them. */
function valueOf(file: string, name: string): number {
  const expression = new RegExp(`^(?:export )?const ${name}(?:: number)? = ([\\d_ *<]+);`, 'm').exec(readFileSync(join(root, 'src', file), 'utf8'))?.[1];
  assert.ok(expression !== undefined, `${file} has no ${name}`);
  const [first = '', shift = '0'] = expression.replaceAll('_', '').split('<<');
  return first.split(/(?<!\*)\*(?!\*)/).map((factor) => factor.split('**').map(Number).reduceRight((power, base) => base ** power)).reduce((a, b) => a * b) * 2 ** Number(shift);
}

test('each limit is the code\'s', () => {
  assert.ok(rows.length > 40, `only ${rows.length} rows are understood`);
  const wrong = rows.filter(([, text, name, file]) => told(text!) !== valueOf(file!, name!)).map(([row]) => row);
  assert.deepEqual(wrong, []);
});
