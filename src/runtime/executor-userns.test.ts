/** The executor's tests again, as an ordinary user in a user namespace: the same layers must come out. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { cannotRun } from './busybox-layer.suite.ts';
import { makeOrdinaryUser, noOrdinaryUser } from './ordinary-user.suite.ts';

test('an ordinary user with subordinate ids can do what root can', { skip: cannotRun || noOrdinaryUser() }, () => {
  using user = makeOrdinaryUser();
  const suite = fileURLToPath(new URL('./executor.test.ts', import.meta.url));
  // NODE_TEST_CONTEXT would make the inner run talk to the outer one.
  const { status, stdout, stderr } = user.run([process.execPath, '--test', '--test-reporter=spec', suite], { SIRU_RUNTIME: process.env['SIRU_RUNTIME'] ?? '' });
  assert.equal(status, 0, `${stdout}\n${stderr}`);
  assert.match(stdout, /what was written is the layer, the same on every rung/);
  assert.doesNotMatch(stdout, /skipped [1-9][0-9]/);
});
