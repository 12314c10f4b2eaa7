import assert from 'node:assert/strict';
import { test } from 'node:test';
import { version } from './version.ts';

test('the version is that of the package', () => assert.match(version(), /^\d+\.\d+\.\d+/));
