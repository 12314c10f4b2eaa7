/** Outline and targets say what BuildKit 0.25 says of the same files. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { makeImage } from '../../images/testing/make-image.ts';
import { temporaryStore, type TemporaryStore } from '../../images/testing/temporary-store.ts';
import type { BuildOptions } from '../options.ts';
import { outlineBuild } from './outline.ts';
import { listTargets } from './targets.ts';

let world: TemporaryStore;
before(async () => {
  world = await temporaryStore();
  makeImage(world.store, { name: 'bb:1', layers: [{ x: 'x' }] });
});
after(() => world[Symbol.asyncDispose]());

const file = `# syntax-not
ARG inherited=box
ARG inherited2=box2
ARG unused=abc\${inherited2}
# sfx is a suffix
ARG sfx="b:1"
# base image tag
ARG unusedtoo

# first is the first stage
FROM b\${sfx} AS first
# V version
ARG V=1
ARG notused
ARG dep=$V$sfx
RUN echo $dep
ARG inherited
ARG TARGETARCH

# mid does things
FROM first AS mid
RUN --mount=type=secret,id=tok,required --mount=type=ssh --mount=type=cache,id=c1,target=/c --mount=type=cache,target=/d true
RUN --mount=type=secret,id=two,target=/x --mount=type=secret,target=/y/three --mount=type=secret,id=four,env=F --mount=type=ssh,id=k,required true
ARG W=2 X=3
ENV E=$W
COPY a /$X

FROM scratch AS other
ARG foo=1
COPY a /

FROM bb:1
ARG last=x
ARG N
ENV q=$N
COPY --from=mid /a /
COPY --from=other /a /b
`;
const options = (dockerfileText: string): BuildOptions => ({ store: world.store, context: world.folder, dockerfileText });

test('the outline of a target has the arguments, secrets and agents of all stages that it needs', async () => {
  const outline = await outlineBuild(options(file));
  assert.deepEqual(outline.args.map(({ name, value, description, lines }) => [name, value, description, lines.start]), [
    ['inherited', 'box', undefined, 2],
    ['sfx', 'b:1', 'is a suffix', 6],
    ['V', '1', 'version', 13],
    ['notused', undefined, undefined, 14],
    ['dep', '1', undefined, 15],
    ['W', '2', undefined, 24],
    ['X', '3', undefined, 24],
    ['foo', '1', undefined, 29],
    ['last', 'x', undefined, 33],
    ['N', undefined, undefined, 34],
  ]);
  assert.deepEqual(outline.secrets.map(({ name, required, lines }) => [name, required, lines.start]), [['tok', true, 22], ['two', undefined, 23], ['three', undefined, 23], ['four', undefined, 23]]);
  assert.deepEqual(outline.ssh.map(({ name, required }) => [name, required]), [['default', undefined], ['k', true]]);
  assert.deepEqual(outline.cache.map(({ name }) => name), ['c1', '/d']);
  assert.equal(outline.name, undefined);
});

test('the outline of a stage that needs less has less, and its description', async () => {
  const first = await outlineBuild({ ...options(file), target: 'first', buildArgs: { V: '9' } });
  assert.equal(first.description, 'is the first stage');
  assert.deepEqual(first.args.map(({ name, value }) => [name, value]), [['inherited', 'box'], ['sfx', 'b:1'], ['V', '9'], ['notused', undefined], ['dep', '9']]);
  assert.deepEqual([first.secrets, first.ssh, first.cache], [[], [], []]);
  const other = await outlineBuild({ ...options(file), target: 'other' });
  assert.deepEqual(other.args.map(({ name }) => name), ['foo']);
});

test('what cannot be planned has no outline', async () => {
  await assert.rejects(outlineBuild(options('FROM scratch\nCPOY a /')), { code: 'DOCKERFILE' });
  await assert.rejects(outlineBuild({ ...options(file), target: 'nothing' }), { code: 'NOT_FOUND' });
});

test('targets are all stages, with what is written of them', async () => {
  const { targets } = await listTargets(options(`# mine is it\nFROM --platform=$BUILDPLATFORM bb:\${X:-1} AS Mine\n# X y\nARG X\n${'# no\n'}FROM --platform=linux/arm64 scratch\nCOPY a /\n`));
  assert.deepEqual(targets, [
    { name: 'mine', description: 'is it', base: 'bb:${X:-1}', platform: '$BUILDPLATFORM', lines: { start: 2, end: 2 } },
    { default: true, base: 'scratch', platform: 'linux/arm64', lines: { start: 6, end: 6 } },
  ]);
});
