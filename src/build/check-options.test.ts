import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkOptions } from './check-options.ts';

test('what is not known is refused, and never taken for something else', () => {
  const refused = (options: object, message: RegExp): void => assert.throws(() => checkOptions(options), { code: 'USAGE', message });
  refused({ network: 'non' }, /unknown network: non$/);
  refused({ isolation: 'userns ' }, /unknown isolation/);
  refused({ outputs: [{ type: 'image' }, { type: 'locl', dest: 'x' }] }, /unknown type of an output: locl/);
  refused({ outputs: [{ dest: 'x' }] }, /unknown type of an output: none/);
  refused({ secrets: [{ id: 'token', file: '/nonexistent/token' }] }, /secret token: there is no file \/nonexistent\/token/);
  checkOptions({ secrets: [{ id: 'token', env: 'TOKEN' }] });
  checkOptions({});
  checkOptions({ network: 'none', isolation: 'auto', outputs: [{ type: 'local', dest: 'x' }, { type: 'cacheonly' }] });
});
