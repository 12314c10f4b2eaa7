import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runKeyParts } from './normalise.ts';
import { runSteps, type PlanFileOptions } from './whole-file.suite.ts';

const parts = (lines: string[], options?: PlanFileOptions): Record<string, string> =>
  Object.fromEntries(runKeyParts(runSteps(`${['FROM scratch', ...lines].join('\n')}\n`, options)[0]!).map(({ name, value }) => [name, value]));

test('a RUN is told in named parts', () => {
  const { 'environment PATH': path, ...rest } = parts(['ARG VERSION=1', 'ENV A=2', 'USER u', 'RUN make'], { buildArgs: { HTTP_PROXY: 'p' } });
  assert.match(path!, /^\/usr\/local\/sbin:/);
  assert.deepEqual(rest, {
    command: '["/bin/sh","-c","make"]',
    user: 'u',
    workdir: '/',
    network: 'default',
    security: 'sandbox',
    'build argument VERSION': '1',
    'environment A': '2',
  });
});

test('mounts are named by their target; ids count, content, origin and values of secrets do not', () => {
  const value = (mount: string): [string, string][] => Object.entries(parts([`RUN --mount=${mount} x`])).filter(([name]) => name.startsWith('mount'));
  assert.deepEqual(value('type=cache,id=i,target=/c')[0]![0], 'mount /c');
  assert.match(value('type=cache,id=i,target=/c')[0]![1], /"id":"i"/);
  assert.deepEqual(value('from=alpine,target=/c'), value('from=busybox,target=/c'));
  assert.deepEqual(value('type=secret,id=s,env=S').map(([name]) => name), ['mount of secret S']);
  assert.deepEqual(value('type=ssh').map(([name]) => name), ['mount /run/buildkit/ssh_agent.0']);
});

test('no two parts have one name', () => {
  const run = runSteps('FROM scratch\nRUN --mount=type=tmpfs,target=/a --mount=type=cache,target=/a --mount=type=ssh --mount=type=ssh x\n')[0]!;
  const names = runKeyParts(run).map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

test('a host name of its own is a part, the usual one is none', () => {
  assert.equal(parts(['RUN x'])['host name'], undefined);
  assert.equal(parts(['RUN x'], { buildArgs: { BUILDKIT_SANDBOX_HOSTNAME: 'box' } })['host name'], 'box');
});

test('a script is a part', () => {
  assert.equal(parts(['RUN <<EOF', '#!/bin/x', 'EOF']).script, '#!/bin/x\n');
});

test('the value of a variable whose name sounds secret is there as a digest, unless it could be anybody’s', () => {
  const { 'build argument API_TOKEN': token, 'environment USE_KEY': use } = parts(['ARG API_TOKEN', 'ENV USE_KEY=true', 'RUN x'], { buildArgs: { API_TOKEN: 'tok-123-abc' } });
  assert.match(token!, /^sha256:[0-9a-f]{64}$/);
  assert.equal(use, 'true');
});
