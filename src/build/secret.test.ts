import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { contextOf } from '../base/context.ts';
import { readSecret } from './secret.ts';

test('a file of a secret that cannot be read is told with the reason', async () => {
  const missing = join(tmpdir(), 'siru-no-such-secret');
  await assert.rejects(readSecret({ id: 'token', file: missing }, contextOf({})), { code: 'CONTEXT', message: `secret token: cannot read ${missing}: there is no such file` });
  await assert.rejects(readSecret({ id: 'token', file: tmpdir() }, contextOf({})), { code: 'CONTEXT', message: /cannot read .*: EISDIR/ });
});
