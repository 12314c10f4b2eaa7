/** Each rule finds what BuildKit finds, at the same lines and in the same words, and nothing else. */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isSiruError } from '../../base/errors.ts';
import { rules } from '../../dockerfile/checks/rules.ts';
import { makeImage } from '../../images/testing/make-image.ts';
import { temporaryStore, type TemporaryStore } from '../../images/testing/temporary-store.ts';
import type { BuildOptions } from '../options.ts';
import { build } from '../build.ts';
import type { CaseOptions } from './check-case.suite.ts';
import { nameCases } from './check-cases-names.suite.ts';
import { valueCases } from './check-cases-values.suite.ts';
import { checkBuild, type CheckResult } from './check.ts';

let world: TemporaryStore;
let count = 0;

before(async () => {
  world = await temporaryStore();
  const { store } = world;
  makeImage(store, { name: 'bb:1', layers: [{ 'x': 'x' }] });
  makeImage(store, { name: 'wd:1', layers: [{ 'x': 'x' }], config: { Env: ['PATH=/bin', 'FROMBASE=1'], WorkingDir: '/w' } });
  makeImage(store, { name: 'shell:1', layers: [{ 'x': 'x' }], config: { Shell: ['/bin/bash', '-c'], OnBuild: ['CMD x', 'ENV a b'] } });
  makeImage(store, { name: 'other:1', layers: [{ 'x': 'x' }], platform: { os: 'linux', architecture: 'arm64' } });
});
after(() => world[Symbol.asyncDispose]());

async function check(text: string, { ignore, args, target }: CaseOptions = {}, more: Partial<BuildOptions> = {}): Promise<CheckResult> {
  const context = join(world.folder, `context${++count}`);
  mkdirSync(context);
  if (ignore !== undefined) writeFileSync(join(context, '.dockerignore'), ignore);
  writeFileSync(join(context, 'Dockerfile'), text);
  return await checkBuild({ store: world.store, context, platform: 'linux/amd64', ...(args ? { buildArgs: args } : {}), ...(target === undefined ? {} : { target }), ...more });
}

const told = ({ warnings }: CheckResult): string[] => warnings.map(({ rule, lines, text }) => `${rule.name} ${lines.start === lines.end ? lines.start : `${lines.start}-${lines.end}`}: ${text}`);

for (const [name, text, expected, options] of [...nameCases, ...valueCases]) {
  test(`check: ${name}`, async () => {
    const result = await check(text, options);
    assert.equal(result.error !== undefined, options?.fails ?? false, result.error?.message);
    assert.deepEqual(told(result).toSorted(), expected.toSorted());
  });
}

test('there are cases for and against every rule', () => {
  const all = [...nameCases, ...valueCases].flatMap(([, , expected]) => expected);
  assert.deepEqual(rules.map(({ name }) => name).filter((name) => !all.some((text) => text.startsWith(`${name} `))), []);
  assert.equal(rules.length, 22);
  assert.ok(nameCases.concat(valueCases).filter(([, , expected]) => expected.length === 0).length > 40);
});

test('what cannot be built is told with what was found before it', async () => {
  const cases: [text: string, error: RegExp, found: string[], options?: CaseOptions][] = [
    ['FROM scratch as B\nCPOY a /', /line 2: unknown instruction: CPOY \(did you mean COPY\?\)/, ['StageNameCasing', 'FromAsCasing']],
    ['FROM scratch as B\nCOPY --chwon=1 a /', /line 2: /, ['StageNameCasing', 'FromAsCasing']],
    ['FROM scratch as B\nCOPY a /', /target stage "x" could not be found/, ['StageNameCasing', 'FromAsCasing'], { target: 'x' }],
    ['ARG X=1\nFROM ${Y}\nCOPY a /', /base name \(\$\{Y\}\) should not be blank/, ['UndefinedArgInFrom']],
    ['FROM scratch\nENV a b\nSTOPSIGNAL nothing', /invalid signal/, ['LegacyKeyValueFormat']],
    ['# check=skpi=all\nFROM scratch as B', /invalid check option "skpi"/, []],
    ['# check=error=maybe\nFROM scratch as B', /failed to parse check option "error=maybe"/, []],
    ['# check=skip\nFROM scratch as B', /invalid check option "skip"/, []],
    ['# check=skip=all;\nFROM scratch as B', /invalid check option ""/, []],
    ['FROM scratch as B', /failed to parse build-arg:BUILDKIT_DOCKERFILE_CHECK: invalid check option "x"/, [], { args: { BUILDKIT_DOCKERFILE_CHECK: 'x' } }],
  ];
  for (const [text, error, found, options] of cases) {
    const result = await check(text, options);
    assert.match(result.error?.message ?? 'none', error, text);
    assert.deepEqual(result.warnings.map(({ rule }) => rule.name).filter((name) => name !== 'InvalidDefaultArgInFrom'), found, text);
  }
});

test('the base image counts: its shell, what it leaves to do', async () => {
  assert.deepEqual(told(await check('FROM shell:1\nCMD y')), [
    'MultipleInstructionsDisallowed 1: Multiple CMD instructions should not be used in the same stage because only the last one will be used',
    'LegacyKeyValueFormat 1: "ENV key=value" should be used instead of legacy "ENV key value" format',
  ].toSorted());
});

test('on an image that is not here only what looks like a slip is an undefined variable', async () => {
  const result = await check('FROM not-here:1\nENV DIRECTORY=/a A=$JAVA_HOME\nWORKDIR /$DIRECTROY');
  assert.deepEqual(told(result), ["UndefinedVar 3: Usage of undefined variable '$DIRECTROY' (did you mean $DIRECTORY?)"]);
  assert.deepEqual(result.unknown, ['not-here:1']);
});

test('a check for several platforms tells each warning once', async () => {
  assert.deepEqual(told(await check('FROM scratch\nENV a b', {}, { platform: 'linux/amd64,linux/arm64' })), ['LegacyKeyValueFormat 2: "ENV key=value" should be used instead of legacy "ENV key value" format']);
});

test('a build tells the same, each once, and fails when the file says so', async () => {
  const warnings: string[] = [];
  const dockerfile = '# check=experimental=all;error=false\nFROM scratch AS A\nENV a b\nFROM a AS x\n# check=skip=LegacyKeyValueFormat\nENV c d\nENV e=$f\nFROM scratch\nCMD unneeded';
  const options = { store: world.store, context: world.folder, dockerfileText: dockerfile, target: 'x' };
  await build({ ...options, onEvent: (event) => event.type === 'warning' && warnings.push(`${event.text.split(':')[0]} ${event.line} ${event.page}`) });
  assert.deepEqual(warnings, [
    'StageNameCasing 2 docs/checks/StageNameCasing.md',
    'LegacyKeyValueFormat 3 docs/checks/LegacyKeyValueFormat.md',
    'UndefinedVar 7 docs/checks/UndefinedVar.md',
  ]);
  await assert.rejects(
    build({ ...options, buildArgs: { BUILDKIT_DOCKERFILE_CHECK: 'skip=UndefinedVar;error=true' } }),
    (error) => isSiruError(error) && error.code === 'DOCKERFILE' && /checks failed: StageNameCasing/.test(error.message),
  );
  await assert.rejects(
    build({ ...options, buildArgs: { BUILDKIT_DOCKERFILE_CHECK: 'skip=StageNameCasing,UndefinedVar;error=true' } }),
    (error) => isSiruError(error) && error.code === 'DOCKERFILE' && /checks failed: LegacyKeyValueFormat/.test(error.message),
  );
});

test('a named context takes the place of an image and is not opened', async () => {
  const result = await check('FROM tools AS b\nENV a=$b\nFROM scratch\nCOPY --from=files a /', {}, { buildContexts: { tools: 'docker-image://127.0.0.1:9/nothing', files: '/nonexistent' } });
  assert.deepEqual([result.error, told(result), result.unknown], [undefined, [], []]);
});
