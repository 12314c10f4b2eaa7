import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSiruError } from '../base/errors.ts';
import { refuseOtherFrontend } from './frontend.ts';

function refusal(text: string, buildArgs?: Record<string, string>): string | undefined {
  try {
    refuseOtherFrontend({ text: Buffer.from(text), name: 'Dockerfile' }, buildArgs);
    return undefined;
  } catch (error) {
    assert.ok(isSiruError(error) && error.code === 'DOCKERFILE');
    return error.message;
  }
}

test('the own frontend is taken under every version and registry', () => {
  for (const name of ['docker/dockerfile:1', 'docker/dockerfile', 'docker.io/docker/dockerfile:1.7-labs', 'docker/dockerfile-upstream:master', 'mirror.example:5000/cache/docker/dockerfile:1.4', `docker/dockerfile:1@sha256:${'a'.repeat(64)}`]) {
    assert.equal(refusal(`# syntax=${name}\nFROM x\n`), undefined, name);
  }
  assert.equal(refusal('FROM x\n# syntax=other/frontend\n'), undefined);
});

test('another frontend is refused at its line, in all forms of the directive', () => {
  assert.match(refusal('# escape=`\n# syntax = other/frontend:1 with words\nFROM x\n')!, /^the frontend other\/frontend:1 is not available\n\nDockerfile:2\n/);
  assert.match(refusal('// syntax=other/frontend\n')!, /Dockerfile:1/);
  assert.match(refusal('{"syntax": "other/frontend"}')!, /^the frontend other\/frontend is not available$/);
  assert.match(refusal('# syntax=Not A Name\n')!, /the frontend Not is not available/);
  assert.match(refusal('# syntax=docker/dockerfile-x\n')!, /not available/);
});

test('BUILDKIT_SYNTAX wins', () => {
  assert.equal(refusal('# syntax=other/frontend\n', { BUILDKIT_SYNTAX: 'docker/dockerfile:1' }), undefined);
  assert.equal(refusal('# syntax=other/frontend\n', { BUILDKIT_SYNTAX: 'dockerfile.v0' }), undefined);
  assert.match(refusal('# syntax=docker/dockerfile:1\n', { BUILDKIT_SYNTAX: 'other/frontend' })!, /BUILDKIT_SYNTAX is not available/);
});
