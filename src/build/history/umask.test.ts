import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StepChange } from '../../store/store.ts';
import { umaskNote } from './umask.ts';

const mode = (before: string, after: string): StepChange => ({ part: 'files', what: 'mode', path: 'x', text: '', before, after });

test('modes of files that were written under another umask are named as such', () => {
  assert.match(umaskNote([mode('0644', '0664'), mode('0755', '0775'), mode('0600', '0660')].slice(0, 2))!, /umask 0022 and umask 0002/);
  assert.match(umaskNote([mode('0664', '0600'), mode('0775', '0700')])!, /umask 0002 and umask 0077/);
});

test('other changes of modes are none', () => {
  assert.equal(umaskNote([]), undefined);
  assert.equal(umaskNote([mode('0644', '0755')]), undefined, 'the owner may execute it now');
  assert.equal(umaskNote([mode('0644', '0664'), mode('0644', '0640')]), undefined, 'no one umask does both');
  assert.equal(umaskNote([mode('0600', '0644'), mode('0644', '0644')]), undefined);
  assert.equal(umaskNote([mode('0644', '0646')]), undefined, 'others may more than the group, which no umask that was seen does');
  assert.equal(umaskNote([mode('0644', '0664'), { part: 'files', what: 'content', path: 'y', text: '' }]), undefined);
});
