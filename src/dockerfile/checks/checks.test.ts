/** Each check finds what it is for and nothing else. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DockerfileError } from '../errors.ts';
import { parseDockerfile } from '../parse.ts';
import { checkDockerfile, checkNames } from './check-dockerfile.ts';

const check = (text: string): string[] => checkDockerfile(parseDockerfile(text)).map(({ rule, line }) => `${rule} ${line}`);

const cases: [name: string, text: string, found: string[]][] = [
  ['nothing', 'FROM a AS b\nENV A=1\nWORKDIR /x\nCMD ["a"]', []],
  ['stage name', 'FROM a AS Builder', ['StageNameCasing 1']],
  ['from as', 'FROM a as b', ['FromAsCasing 1']],
  ['as in lower case', 'from a as b\nrun x', []],
  ['empty continuation', 'FROM a\nRUN a \\\n\n b', ['NoEmptyContinuation 3']],
  ['casing', 'FROM a\nRUN x\nrun y\nRun z', ['ConsistentInstructionCasing 3', 'ConsistentInstructionCasing 4']],
  ['casing, mostly lower', 'from a\nrun x\nRUN y', ['ConsistentInstructionCasing 3']],
  ['duplicate stage', 'FROM a AS b\nFROM c AS b', ['DuplicateStageName 2']],
  ['reserved stage', 'FROM a AS scratch', ['ReservedStageName 1']],
  ['shell form', 'FROM a\nENTRYPOINT x\nCMD y', ['JSONArgsRecommended 2', 'JSONArgsRecommended 3']],
  ['shell form with SHELL', 'FROM a AS b\nSHELL ["bash", "-c"]\nFROM b\nCMD y', []],
  ['maintainer', 'FROM a\nMAINTAINER me', ['MaintainerDeprecated 2']],
  ['relative workdir', 'FROM a\nWORKDIR x\nWORKDIR y', ['WorkdirRelativePath 2']],
  ['relative workdir on a stage that has one', 'FROM a AS b\nWORKDIR /x\nFROM b\nWORKDIR y\nWORKDIR $Z', []],
  ['two CMD', 'FROM a\nCMD ["a"]\nCMD ["b"]\nFROM a\nCMD ["c"]', ['MultipleInstructionsDisallowed 2']],
  ['old ENV', 'FROM a\nENV a b\nLABEL c d', ['LegacyKeyValueFormat 2', 'LegacyKeyValueFormat 3']],
  ['secrets', 'ARG TOKEN\nFROM a\nENV DB_PASSWORD=x KEYBOARD=y PUBLIC_KEY=z KEY_FILE=v', ['SecretsUsedInArgOrEnv 1', 'SecretsUsedInArgOrEnv 3']],
  ['ports', 'FROM a\nEXPOSE 80/TCP 127.0.0.1:80:80 $PORT', ['ExposeProtoCasing 2', 'ExposeInvalidFormat 2']],
  ['platforms', 'FROM --platform=$TARGETPLATFORM a\nFROM --platform=linux/amd64 a\nFROM --platform=linux/amd64 a AS b-amd64\nFROM --platform=$BUILDPLATFORM a', ['RedundantTargetPlatform 1', 'FromPlatformFlagConstDisallowed 2']],
  ['skipped in the file', '# check=skip=StageNameCasing,FromAsCasing\nFROM a as B', []],
  ['all skipped', '# check=skip=all\nFROM a as B\nMAINTAINER x', []],
  ['skipped above an instruction', 'FROM a\n# check=skip=MaintainerDeprecated\nMAINTAINER a\nMAINTAINER b', ['MaintainerDeprecated 4']],
];

for (const [name, text, found] of cases) {
  test(`check: ${name}`, () => assert.deepEqual(check(text), found));
}

test('a check directive that makes no sense is refused with its place', () => {
  for (const text of ['# check=skpi=all\nFROM a', '# check=error=maybe\nFROM a', 'FROM a\n# check=x\nRUN a']) {
    assert.throws(() => check(text), (error) => error instanceof DockerfileError && error.lines !== undefined);
  }
});

test('the table has every rule that needs only the tree', () => {
  assert.equal(new Set(checkNames()).size, 16);
});
