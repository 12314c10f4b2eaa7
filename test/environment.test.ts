/** The environment of a container: defaults from the image, changed from outside. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { needs } from './support/missing.ts';
import { createWorld } from './support/world.ts';

test('the environment of a container', { skip: needs('run') }, async (t) => {
  await using world = await createWorld();
  await world.base();
  const context = world.context({
    Dockerfile: 'FROM base\nENV A=image B=image C=image\nENV EMPTY= SPACES="two words"\nCMD ["sh", "-c", "echo a=${A-unset} b=${B-unset} c=${C-unset} new=${NEW-unset}"]\n',
    file: '# a comment\nA=file\nNEW=with # no comment and "quotes"\nFROM_CLIENT\n\nNOT_IN_CLIENT\nC=file=with=equals\n',
    other: 'A=other\n',
  });
  await world.ok('build', '-t', 'env', context);
  const run = async (args: string[], env: Record<string, string | undefined> = {}, words: string[] = []): Promise<string> => {
    const outcome = await world.run(['run', '--rm', ...args, 'env', ...words], { env });
    assert.equal(outcome.code, 0, outcome.stderr);
    return outcome.stdout;
  };

  await t.test('the defaults of the image', async () => {
    assert.equal(await run([]), 'a=image b=image c=image new=unset\n');
    assert.equal(await run([], { A: 'client', NEW: 'client' }), 'a=image b=image c=image new=unset\n');
    assert.equal(await run([], {}, ['sh', '-c', 'echo "[$EMPTY] [$SPACES]"']), '[] [two words]\n');
  });
  await t.test('-e K=V, with the last one winning', async () => {
    assert.equal(await run(['-e', 'A=1', '--env', 'B=x=y z', '-e', 'NEW=', '-e', 'A=2']), 'a=2 b=x=y z c=image new=\n');
  });
  await t.test('-e NAME takes the value of the client', async () => {
    assert.equal(await run(['-e', 'A', '-e', 'NEW'], { A: 'client', NEW: '' }), 'a=client b=image c=image new=\n');
  });
  await t.test('-e NAME that the client does not have removes it', async () => {
    assert.equal(await run(['-e', 'A', '-e', 'NEW'], { A: undefined, NEW: undefined }), 'a=unset b=image c=image new=unset\n');
  });
  await t.test('--env-file: taken literally, below -e', async () => {
    const file = join(context, 'file');
    assert.equal(await run(['--env-file', file, '-e', 'C=flag'], { FROM_CLIENT: 'x' }), 'a=file b=image c=flag new=with # no comment and "quotes"\n');
    assert.equal(await run(['--env-file', file], { FROM_CLIENT: 'x' }, ['sh', '-c', 'echo ${FROM_CLIENT-unset} ${NOT_IN_CLIENT-unset} $C']), 'x unset file=with=equals\n');
    assert.equal(await run(['--env-file', file, '--env-file', join(context, 'other')]), 'a=other b=image c=file=with=equals new=with # no comment and "quotes"\n');
  });
  await t.test('an --env-file that is missing or malformed', async () => {
    const missing = await world.run(['run', '--rm', '--env-file', join(context, 'none'), 'env']);
    assert.equal(missing.code, 125);
    assert.match(missing.stderr, /none/);
    const bad = world.context({ bad: 'A=1\nwith space=2\n' });
    const malformed = await world.run(['run', '--rm', '--env-file', join(bad, 'bad'), 'env']);
    assert.equal(malformed.code, 125);
    assert.match(malformed.stderr, /bad.*(?:line )?2|with space/);
  });
  await t.test('HOME, HOSTNAME and PATH are there; the image is unchanged afterwards', async () => {
    assert.match(await run([], {}, ['sh', '-c', 'echo $HOME $HOSTNAME $PATH']), /^\/root \S+ \/usr\/local\/sbin:/);
    assert.deepEqual((await world.inspect('env')).Config.Env!.slice(1), ['A=image', 'B=image', 'C=image', 'EMPTY=', 'SPACES=two words']);
  });
  await t.test('a PATH from outside finds the program', async () => {
    const outcome = await world.run(['run', '--rm', '-e', 'PATH=/nowhere', 'env', 'ls']);
    assert.equal(outcome.code, 127);
  });
});
