/** What fuzzing found keeps its rule for good. */
import { test } from 'node:test';
import { keptInputs } from './found.ts';
import { targetOf } from './targets.ts';

for (const { target, name, input } of keptInputs()) {
  test(`${target} takes the found input ${name}`, async () => {
    await targetOf(target).run(input);
  });
}
