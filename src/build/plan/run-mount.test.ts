import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSiruError } from '../../base/errors.ts';
import type { RunMountPlan } from '../step-plan.ts';
import { planFile, runSteps } from './whole-file.suite.ts';

const mounted = (options: string, ...before: string[]): RunMountPlan =>
  runSteps(`FROM scratch AS first\nFROM scratch\n${[...before, `RUN --mount=${options} x`].join('\n')}\n`)[0]!.mounts[0]!;

const table: [options: string, plan: RunMountPlan][] = [
  ['target=/a', { type: 'bind', from: { type: 'context' }, source: '/', target: '/a', readonly: true }],
  ['type=bind,src=x/../y,dst=/a,rw', { type: 'bind', from: { type: 'context' }, source: '/y', target: '/a', readonly: false }],
  ['from=First,destination=/a/b/,readwrite=false', { type: 'bind', from: { type: 'stage', index: 0 }, source: '/', target: '/a/b', readonly: true }],
  ['from=alpine,target=/a', { type: 'bind', from: { type: 'image', reference: 'alpine' }, source: '/', target: '/a', readonly: true }],
  ['type=cache,target=/c/', { type: 'cache', id: '/c', target: '/c', source: '/', sharing: 'shared', mode: 0o755, uid: 0, gid: 0, readonly: false }],
  [
    'type=cache,id=i,target=/c,from=first,source=s,sharing=locked,mode=0700,uid=1,gid=2,ro',
    { type: 'cache', id: 'i', target: '/c', from: { type: 'stage', index: 0 }, source: '/s', sharing: 'locked', mode: 0o700, uid: 1, gid: 2, readonly: true },
  ],
  ['type=tmpfs,target=/t', { type: 'tmpfs', target: '/t' }],
  ['type=tmpfs,target=/t,size=1.5m', { type: 'tmpfs', target: '/t', size: 1572864 }],
  ['type=secret,id=a/token', { type: 'secret', id: 'a/token', target: '/run/secrets/token', required: false, mode: 0o400, uid: 0, gid: 0 }],
  ['type=secret,target=/x/token,required', { type: 'secret', id: 'token', target: '/x/token', required: true, mode: 0o400, uid: 0, gid: 0 }],
  ['type=secret,source=s,env=TOKEN', { type: 'secret', id: 's', env: 'TOKEN', required: false, mode: 0o400, uid: 0, gid: 0 }],
  ['type=secret,id=s,env=TOKEN,target=/t,mode=0444', { type: 'secret', id: 's', env: 'TOKEN', target: '/t', required: false, mode: 0o444, uid: 0, gid: 0 }],
  ['type=ssh', { type: 'ssh', id: 'default', target: '/run/buildkit/ssh_agent.0', required: false, mode: 0o600, uid: 0, gid: 0 }],
  ['type=ssh,id=k,required=true,target=/s', { type: 'ssh', id: 'k', target: '/s', required: true, mode: 0o600, uid: 0, gid: 0 }],
];

for (const [options, plan] of table) {
  test(`RUN --mount=${options}`, () => assert.deepEqual(mounted(options), plan));
}

test('relative targets are joined to WORKDIR, and a mount without a target is there', () => {
  assert.equal(mounted('type=cache,target=c', 'WORKDIR /w').target, '/w/c');
  const cache = mounted('type=cache,target=c', 'WORKDIR /w');
  assert.equal(cache.type === 'cache' && cache.id, 'c');
  assert.equal(mounted('type=bind', 'WORKDIR /w').target, '/w');
});

test('values are expanded with ARG and ENV, but for from', () => {
  assert.deepEqual(mounted('type=cache,id=$a-id,target=/$b,sharing=$c', 'ARG a=1', 'ENV b=2 c=private'), {
    type: 'cache', id: '1-id', target: '/2', source: '/', sharing: 'private', mode: 0o755, uid: 0, gid: 0, readonly: false,
  });
});

test('a number is no stage for a mount', () => {
  assert.deepEqual(mounted('from=0,target=/a'), { type: 'bind', from: { type: 'image', reference: '0' }, source: '/', target: '/a', readonly: true });
});

test('cache ids have the namespace before them', () => {
  const [run] = runSteps('FROM scratch\nRUN --mount=type=cache,target=/c x\n', { scope: { cacheMountNamespace: 'ns' } });
  const [mount] = run!.mounts;
  assert.equal(mount?.type === 'cache' && mount.id, 'ns//c');
});

const refusedTable: [options: string, message: RegExp][] = [
  ['type=bind,target=/', /invalid mount target/],
  ['type=cache', /invalid mount target/],
  ['type=bnd,target=/a', /unsupported mount type/],
  ['target=/a,from=$x', /doesn't support variable expansion/],
  ['target=/a,sharing=shared', /unexpected key 'sharing'/],
  ['type=cache,target=/a,sharing=some', /unsupported sharing value/],
  ['target=/a,size=5', /unexpected key 'size'/],
  ['target=/a,taget=/b', /unexpected key .taget. in .taget=\/b./],
  ['type=cache,target=/a,required', /unexpected key 'required'/],
  ['target', /must be a key=value pair/],
  ['type=cache,target=/a,mode=9', /invalid value for mode/],
  ['type=cache,target=/a,uid=-1', /invalid value for uid/],
  ['target=/a,ro=maybe', /invalid value for ro/],
  ['type=tmpfs,target=/a,size=much', /invalid value for size/],
  ['type=secret', /one of id, source or target/],
  ['type=secret,id=a,src=b', /both source and id/],
  ['type=secret,id=a,from=first', /unexpected key 'from' for mount type 'secret'|should not have a from/],
  ['type=ssh,source=a', /does not support source/],
];

for (const [options, message] of refusedTable) {
  test(`RUN --mount=${options} is refused at its line`, () =>
    assert.throws(
      () => mounted(options),
      (error) => isSiruError(error) && message.test(error.message) && error.message.includes('Dockerfile:3'),
    ));
}

test('what a mount reads from is a dependency of the stage', () => {
  assert.deepEqual(planFile('FROM scratch AS a\nFROM scratch AS b\nFROM scratch\nRUN --mount=from=a,target=/a x\n').graph.order, [0, 2]);
  assert.throws(() => planFile('FROM scratch AS a\nRUN --mount=from=b,target=/a x\nFROM scratch AS b\nFROM a\n'), /cannot mount from stage "b"/);
});
