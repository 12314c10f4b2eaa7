import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSiruError } from '../../base/errors.ts';
import { parseDockerfile } from '../../dockerfile/parse.ts';
import { planStages, type PlanOptions, type StageGraph } from './graph.ts';
import { amd64 } from './whole-file.suite.ts';

const plan = (text: string, options: Partial<PlanOptions> = {}): StageGraph => planStages(parseDockerfile(text), { targetPlatform: amd64, buildPlatform: amd64, ...options });
const rules = (text: string, options?: Partial<PlanOptions>): string[] => plan(text, options).warnings.map(({ rule }) => rule);
const from = (text: string, options?: Partial<PlanOptions>): object => plan(text, options).stages.at(-1)!.from;

function refused(text: string, message: RegExp, options?: Partial<PlanOptions>, code = 'DOCKERFILE', hint = /(?:)/): void {
  assert.throws(
    () => plan(text, options),
    (error) => isSiruError(error) && error.code === code && message.test(error.message) && hint.test(error.hint ?? ''),
  );
}

test('FROM: scratch, an earlier stage, else an image', () => {
  assert.deepEqual(from('FROM scratch\n'), { type: 'scratch' });
  assert.deepEqual(from('FROM scratch AS a\nFROM a\n'), { type: 'stage', index: 0 });
  assert.deepEqual(from('FROM alpine:3.20\n'), { type: 'image', reference: 'alpine:3.20' });
  assert.deepEqual(from('FROM alpine AS alpine\n'), { type: 'image', reference: 'alpine' }, 'a stage is not its own base');
  assert.deepEqual(from('FROM scratch\nFROM 0\n'), { type: 'image', reference: '0' }, 'FROM takes no positions');
  assert.deepEqual(from('FROM scratch AS a\nFROM scratch AS a\nFROM a\n'), { type: 'stage', index: 1 }, 'the later of two of one name');
});

test('FROM takes stage names as they are written, in lower case', () => {
  assert.deepEqual(from('FROM scratch AS Base\nFROM base\n'), { type: 'stage', index: 0 });
  refused('FROM scratch AS Base\nFROM Base\n', /invalid reference format/, {}, 'DOCKERFILE', /Did you mean the stage base/);
});

test('named contexts win over stages and images', () => {
  assert.deepEqual(from('FROM alpine\n', { namedContexts: ['alpine'] }), { type: 'named-context', name: 'alpine' });
  assert.deepEqual(from('FROM alpine AS a\n', { namedContexts: ['a'] }), { type: 'named-context', name: 'a', replaces: true });
});

test('FROM expands global arguments, each seeing those before it', () => {
  const text = 'ARG V=1\nARG TAG=v$V\nFROM alpine:${TAG:-x}\n';
  assert.deepEqual(from(text), { type: 'image', reference: 'alpine:v1' });
  assert.deepEqual(from(text, { buildArgs: { V: '2' } }), { type: 'image', reference: 'alpine:v2' });
  assert.deepEqual(from('FROM alpine:$TARGETARCH-$TARGETSTAGE\n', { target: '' }), { type: 'image', reference: 'alpine:amd64-default' });
  assert.deepEqual(from('FROM alpine:$TARGETSTAGE AS out\n'), { type: 'image', reference: 'alpine:out' });
  refused('ARG V=${A:?no A}\nFROM alpine:$V\n', /no A/);
});

test('FROM without a name, or with one that is no reference, is refused', () => {
  refused('ARG BASE\nFROM $BASE\n', /base name \(\$BASE\) should not be blank/);
  refused('FROM UPPER\n', /invalid reference format/, {}, 'DOCKERFILE', /Did you mean upper/);
  refused('FROM a\nFROM alpine:bad:tag\nFROM scratch\n', /invalid reference format/, {}, 'DOCKERFILE');
});

test('--platform is expanded and read', () => {
  const platform = (text: string) => plan(text).stages[0]!.platform;
  assert.deepEqual(platform('FROM --platform=$BUILDPLATFORM alpine\n'), amd64);
  assert.deepEqual(platform('ARG P=linux/arm64/v8\nFROM --platform=$P alpine\n'), { os: 'linux', architecture: 'arm64' });
  assert.equal(platform('FROM alpine\n'), undefined);
  refused('FROM --platform=$BUILDPLATFROM alpine\n', /empty platform value/, {}, 'DOCKERFILE', /BUILDPLATFORM/);
  refused('FROM --platform=a/b/c/d alpine\n', /failed to parse platform/);
});

test('the target is the last stage or a name in any case', () => {
  const text = 'FROM scratch AS one\nFROM scratch AS two\nFROM scratch\n';
  assert.deepEqual(['one', 'TWO', undefined].map((target) => plan(text, { target }).target), [0, 1, 2]);
  refused(text, /target stage "onne" could not be found/, { target: 'onne' }, 'NOT_FOUND', /Did you mean one\? The stages are one, two/);
  refused(text, /could not be found/, { target: '1' }, 'NOT_FOUND');
});

test('only stages that the target needs are in the order, each after what it depends on', () => {
  const text = ['FROM scratch AS base', 'FROM base AS unused', 'FROM scratch AS tool', 'FROM base AS build', 'COPY --from=tool a b', 'FROM scratch', 'COPY --from=build a b'].join('\n');
  assert.deepEqual(plan(`${text}\n`).order, [0, 2, 3, 4]);
  assert.deepEqual(plan(`${text}\n`).stages.map(({ dependencies }) => dependencies), [[], [0], [], [0, 2], [3]]);
  assert.deepEqual(plan(`${text}\n`, { target: 'unused' }).order, [0, 1]);
});

test('what the triggers of a parent stage read is a dependency of the child', () => {
  const text = 'FROM scratch AS tool\nFROM scratch AS base\nONBUILD COPY --from=tool a b\nFROM base\n';
  assert.deepEqual(plan(text).stages.map(({ dependencies }) => dependencies), [[], [], [0, 1]]);
});

test('unused stages may read from later ones; circles are refused everywhere', () => {
  assert.deepEqual(plan('FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\n').order, [1]);
  refused('FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\nCOPY --from=a x y\nFROM scratch\n', /circular dependency detected on stage: a\n\nDockerfile:4/);
});

test('a name that two stages have means the last of them for COPY, the one before for FROM', () => {
  refused('FROM scratch AS a\nFROM scratch AS a\nCOPY --from=a x y\n', /circular dependency/);
  assert.deepEqual(plan('FROM scratch AS a\nFROM a AS a\nFROM scratch\nCOPY --from=a x y\n').stages.map(({ dependencies }) => dependencies), [[], [0], [1]]);
});

test('labels are names or positions', () => {
  assert.deepEqual(plan('FROM scratch\nFROM scratch AS x\n').stages.map(({ label }) => label), ['stage-0', 'x']);
});

test('warnings about FROM', () => {
  assert.deepEqual(rules('FROM alpine$NOPE\n'), ['UndefinedArgInFrom']);
  assert.deepEqual(rules('ARG TAG\nFROM alpine:$TAG\n', { buildArgs: { TAG: '1' } }), ['InvalidDefaultArgInFrom']);
  assert.deepEqual(rules('ARG TAG=1\nFROM alpine:$TAG\n'), []);
  assert.deepEqual(rules('FROM --platform=$TARGETPLATFORM alpine\n'), ['RedundantTargetPlatform']);
  assert.deepEqual(rules('FROM --platform=linux/amd64 alpine\n'), ['FromPlatformFlagConstDisallowed']);
  assert.deepEqual(rules('FROM --platform=linux/amd64 alpine AS amd64\n'), []);
  assert.deepEqual(rules('FROM --platform=$BUILDPLATFORM alpine\n'), []);
  assert.match(plan('ARG VERSION=1\nFROM alpine:${VERSON:-1}\n').warnings[0]!.text, /'VERSON'.*did you mean VERSION/);
});

test('build arguments that nobody declares are told; proxies and automatic ones need no ARG', () => {
  const buildArgs = { b: '', a: '', used: '', global: '', HTTP_PROXY: '', no_proxy: '', TARGETARCH: 'x', BUILDKIT_INLINE_CACHE: '1', SOURCE_DATE_EPOCH: '0' };
  const { warnings } = plan('ARG global\nFROM scratch\nARG used\n', { buildArgs });
  assert.deepEqual(warnings, [{ rule: 'UnconsumedBuildArg', text: 'one or more build-args [a b] were not consumed' }]);
});
