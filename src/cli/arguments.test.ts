import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { parseFields, plainArguments, pairs } from './arguments.ts';
import { buildOptions, progressMode, refuseUnsupported, refusedFlags } from './build-flags.ts';
import type { BuildFlags } from './build-flags.ts';
import { configure } from './commands/build.ts';
import { parseHost, parseSecret } from './step-flags.ts';
import { imageFilter, parseUntil, referencePattern } from './image-filter.ts';
import type { ImageFacts } from './image-facts.ts';
import { chosenPath } from './program.ts';

test('booleans may have values, short options an equals sign, and what belongs to the container is left alone', () => {
  const command = new Command().option('--rm').option('-i').option('-t').option('-e, --env <pair>').option('--no-cache');
  const table: [string, string][] = [
    ['--rm=true -e=A=1 image --rm=true -e=B', '--rm -e A=1 image --rm=true -e=B'],
    ['--rm=false --no-cache=1 image', '--no-cache image'],
    ['-it image', '-it image'],
    ['-ite --rm=true image --rm=true', '-ite --rm=true image --rm=true'],
    ['--env --rm=true image', '--env --rm=true image'],
    ['--env=X=1 -- --rm=true', '--env=X=1 -- --rm=true'],
    ['--rm=perhaps', '--rm=perhaps'],
  ];
  for (const [given, expected] of table) assert.equal(plainArguments(command, given.split(' '), true).join(' '), expected, given);
  assert.deepEqual(plainArguments(command, ['image', '--rm=true'], false), ['image', '--rm']);
});

test('the command is found before its module is loaded', () => {
  const table: [string, string[], string | undefined][] = [
    ['build .', ['build'], 'build'],
    ['--root /x -D images -q', ['images'], 'images'],
    ['--root=/x image ls', ['image', 'ls'], 'images'],
    ['system df', ['system', 'df'], 'du'],
    ['help build', ['build'], 'build'],
    ['help image rm', ['image', 'rm'], 'rmi'],
    ['image', ['image'], undefined],
    ['image nonsense', ['image'], undefined],
    ['nonsense', ['nonsense'], undefined],
    ['toString', ['toString'], undefined],
    ['--help', [], undefined],
  ];
  for (const [line, words, command] of table) {
    const chosen = chosenPath(line.split(' '));
    assert.deepEqual([chosen.words, chosen.command], [words, command], line);
  }
});

test('comma-separated fields and pairs are read as docker reads them', () => {
  assert.deepEqual([...parseFields('type=bind,src=/a,"target=/b,c",ro')], [['type', 'bind'], ['src', '/a'], ['target', '/b,c'], ['ro', '']]);
  assert.deepEqual(pairs(['A=1', 'B', 'C', 'D=x=y'], { B: 'from outside' }), { A: '1', B: 'from outside', D: 'x=y' });
});

const flagsOf = (line: string[]): BuildFlags => {
  const command = new Command().exitOverride();
  configure(command);
  command.parse(line, { from: 'user' });
  return command.opts<BuildFlags>();
};

test('build flags become options of the library', () => {
  const flags = flagsOf(['-t', 'a', '-t', 'b', '--build-arg', 'V=1', '--build-arg', 'FROM_ENV', '--label', 'x=y', '--no-cache', '--pull', '--network', 'none', '--add-host', 'db:10.0.0.1', '--secret', 'id=t,env=TOKEN', '.']);
  assert.deepEqual(buildOptions(flags, '.', { FROM_ENV: '2', SOURCE_DATE_EPOCH: '7' }), {
    context: '.', tags: ['a', 'b'], buildArgs: { V: '1', FROM_ENV: '2' }, labels: { x: 'y' }, noCache: true, pull: true,
    addHosts: [['db', '10.0.0.1']], secrets: [{ id: 't', env: 'TOKEN' }], allowedSecrets: [], ssh: [], allow: [], noCacheFilter: [], ulimits: [], network: 'none', sourceDateEpoch: 7,
  });
  assert.equal(buildOptions(flagsOf(['.']), '.', {}).noCache, false);
  assert.deepEqual(buildOptions(flagsOf(['--platform', 'linux/amd64,local', '--platform=linux/arm64', '.']), '.', {}).platform, ['linux/amd64', 'local', 'linux/arm64']);
  assert.throws(() => buildOptions(flagsOf(['--network', 'bridge', '.']), '.', {}), /--network bridge: not one of/);
  const epochOf = (...words: string[]): string | undefined => buildOptions(flagsOf([...words, '.']), '.', { SOURCE_DATE_EPOCH: 'context' }).buildArgs?.SOURCE_DATE_EPOCH;
  assert.equal(epochOf(), 'context');
  assert.equal(epochOf('--build-arg', 'SOURCE_DATE_EPOCH=1'), '1');
});

test('a flag that is not carried out is refused with a sentence, unless it is switched off', () => {
  for (const [flag] of refusedFlags) {
    const name = /--[a-z-]+/.exec(flag)![0];
    const line = flag.includes('<') ? [name, 'x', '.'] : flag.includes('[') ? [`${name}=true`, '.'] : [name, '.'];
    assert.throws(() => refuseUnsupported(flagsOf(line)), new RegExp(`${name}: `), flag);
  }
  refuseUnsupported(flagsOf(['--provenance=false', '--sbom=false', '--load', '--rm', '--call', 'build', '.']));
  refuseUnsupported(flagsOf(['--no-cache', '.']));
});

test('progress comes from the flag, else from BUILDKIT_PROGRESS', () => {
  assert.equal(progressMode(flagsOf(['.']), {}), 'auto');
  assert.equal(progressMode(flagsOf(['.']), { BUILDKIT_PROGRESS: 'plain' }), 'plain');
  assert.equal(progressMode(flagsOf(['--progress', 'rawjson', '.']), { BUILDKIT_PROGRESS: 'plain' }), 'json');
  assert.equal(progressMode(flagsOf(['-q', '--progress', 'plain', '.']), {}), 'quiet');
  assert.throws(() => progressMode(flagsOf(['--progress', 'loud', '.']), {}), /not one of/);
});

test('secrets, hosts and contexts', () => {
  assert.deepEqual(parseSecret('id=a,src=f', {}), { id: 'a', file: 'f' });
  assert.deepEqual(parseSecret('id=a,type=env', {}), { id: 'a', env: 'a' });
  assert.deepEqual(parseSecret('id=a', { a: '1' }), { id: 'a', env: 'a' });
  assert.deepEqual(parseSecret('id=a', {}), { id: 'a', file: 'a' });
  assert.throws(() => parseSecret('src=f', {}), /no id/);
  assert.throws(() => parseSecret('id=a,value=x', {}), /unknown key value/);
  assert.deepEqual(parseHost('a=[::1]'), ['a', '::1']);
  assert.deepEqual(parseHost('a:::1'), ['a', '::1']);
  assert.deepEqual(parseHost('a:host-gateway'), ['a', '127.0.0.1']);
  assert.throws(() => parseHost('a'), /NAME:ADDRESS/);
  assert.throws(() => parseHost('a:b'), /not an address/);
});

test('filters of images', () => {
  const facts = (names: string[], created: number, labels: Record<string, string> = {}): ImageFacts =>
    ({ stored: { names }, created, size: 0, labels }) as unknown as ImageFacts;
  const app = facts(['docker.io/library/app:1.0', 'docker.io/library/app:latest'], 1000, { team: 'a', x: '' });
  const bare = facts([], 2000);
  const world = { now: 10_000_000, find: () => app };
  const kept = (...filters: string[]): boolean[] => [app, bare].map(imageFilter(filters, world).image);
  assert.deepEqual(kept('dangling=true'), [false, true]);
  assert.deepEqual(kept('dangling=0'), [true, false]);
  assert.deepEqual(kept('label=team'), [true, false]);
  assert.deepEqual(kept('label=team=b'), [false, false]);
  assert.deepEqual(kept('label=team', 'label=x='), [true, false]);
  assert.deepEqual(kept('since=app'), [false, true]);
  assert.deepEqual(kept('before=app'), [false, false]);
  assert.deepEqual(kept('until=1h'), [true, true]);
  assert.deepEqual(kept('reference=app:1.*'), [true, false]);
  assert.throws(() => kept('color=red'), /unknown filter: color/);
  assert.throws(() => kept('dangling'), /no filter/);
  assert.equal(parseUntil('10', 0), 10_000);
  const table: [string, string, boolean][] = [
    ['app', 'docker.io/library/app:1.0', true], ['app', 'docker.io/group/app:1.0', false], ['*/app', 'docker.io/group/app:1', true],
    ['*', 'docker.io/group/app:1', false], ['app:1.?', 'docker.io/library/app:1.0', true], ['localhost:5000/a', 'localhost:5000/a:1', true],
    ['localhost:5000/*:1', 'localhost:5000/a:1', true], ['docker.io/library/app', 'docker.io/library/app:1', true], ['a[pq]p', 'docker.io/library/app:1', true],
    ['a.p', 'docker.io/library/app:1', false],
  ];
  for (const [pattern, name, expected] of table) assert.equal(referencePattern(pattern)(name), expected, `${pattern} ${name}`);
});

test('what the secret guard does, and what it lets be', () => {
  const options = buildOptions(flagsOf(['--secret-guard', 'strict', '--allow-secret', 'token,API_KEY', '--allow-secret', 'x', '.']), '.', {});
  assert.equal(options.secretGuard, 'strict');
  assert.deepEqual(options.allowedSecrets, ['token', 'API_KEY', 'x']);
  assert.throws(() => buildOptions(flagsOf(['--secret-guard', 'maybe', '.']), '.', {}), /on, strict and off/);
});
