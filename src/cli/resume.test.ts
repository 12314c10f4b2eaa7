import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BuildFlags } from './build-flags.ts';
import { remember } from './resume.ts';

const flags = (more: object): BuildFlags => ({ secret: [], ...more }) as unknown as BuildFlags;

test('an address with a password, or with a token in place of the user, is not kept', () => {
  for (const user of ['user:hunter2', 'hunter2', ':hunter2', 'user:hun@hunter2']) {
    const address = `https://${user}@example.org/app.git#main`;
    const kept = remember('.', flags({ buildContext: [`app=${address}`, 'base=https://example.org/app.git'], file: address }), '/');
    assert.ok(!JSON.stringify(kept).includes('hunter2'), user);
    assert.deepEqual(kept!.flags.buildContext, ['base=https://example.org/app.git']);
    assert.deepEqual(kept!.left.toSorted(), ['--build-context app', '--file']);
    assert.equal(remember(address, flags({}), '/'), undefined, user);
  }
});

test('a user that every client of ssh names is kept', () => {
  const address = 'ssh://git@example.org/app.git';
  assert.deepEqual(remember('.', flags({ buildContext: [`app=${address}`, 'mail=a@example.org'] }), '/')!.flags.buildContext, [`app=${address}`, 'mail=a@example.org']);
  assert.equal(remember(address, flags({}), '/')!.context, address);
});
