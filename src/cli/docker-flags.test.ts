/** Every flag of `docker buildx build`, also the hidden and the ignored ones: it works, or it says why not and what to do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import { isSiruError } from '../base/errors.ts';
import { plainArguments } from './arguments.ts';
import { refuseAttestations } from './attestation-flags.ts';
import { buildCall } from './build-call/method.ts';
import { buildOptions, droppedWarnings, ignoredFlags, progressMode, refuseUnsupported } from './build-flags.ts';
import type { BuildFlags } from './build-flags.ts';
import { configure } from './commands/build.ts';
import { parseAgents } from './step-flags.ts';

type Verdict = 'works' | 'does nothing' | 'warns' | 'refused';

/** Words, and what becomes of them. */
const table: [words: string, Verdict][] = [
  ['--add-host h:1.2.3.4', 'works'], ['--add-host h=[::1]', 'works'], ['--add-host h:host-gateway', 'works'],
  ['--allow network.host', 'works'], ['--allow security.insecure', 'works'], ['--allow device', 'works'], ['--allow nothing.known', 'refused'],
  ['--annotation k=v', 'works'], ['--attest type=sbom', 'refused'], ['--attest type=provenance,disabled=true', 'works'], ['--sbom=true', 'refused'], ['--sbom=false', 'works'],
  ['--provenance=true', 'refused'], ['--provenance=false', 'works'],
  ['--build-arg k=v', 'works'], ['--build-arg k', 'works'], ['--build-context n=.', 'works'],
  ['--builder default', 'does nothing'], ['--cache-from type=local,src=x', 'works'], ['--cache-from a/b:c', 'works'], ['--cache-from type=inline', 'refused'], ['--cache-from type=s3,bucket=b', 'refused'],
  ['--cache-to type=inline', 'works'], ['--cache-to type=registry,ref=a/b:c,mode=max', 'works'], ['--cache-to type=registry', 'refused'], ['--cache-to type=local,dest=x,mode=most', 'refused'],
  ['--call check', 'works'], ['--call outline,format=json', 'works'], ['--check', 'works'], ['--print outline', 'refused'],
  ['--cgroup-parent /builds', 'works'], ['--cgroup-parent ../out', 'refused'], ['--shm-size 128m', 'works'], ['--shm-size much', 'refused'],
  ['--ulimit nofile=1024:2048', 'works'], ['--ulimit nofile=-1', 'works'], ['--ulimit nofiles=1', 'refused'], ['--ulimit nofile=20:10', 'refused'],
  ['--resource memory=512m,cpuset-cpus=0,1', 'works'], ['--resource pids=3', 'refused'],
  ['-m 512m', 'works'], ['--memory 512m', 'works'], ['--memory-swap -1', 'works'], ['-c 512', 'works'], ['--cpu-shares 512', 'works'], ['--cpu-period 100000', 'works'],
  ['--cpu-quota 50000', 'works'], ['--cpuset-cpus 0-1', 'works'], ['--cpuset-mems 0', 'works'], ['--memory much', 'refused'], ['--cpuset-cpus all', 'refused'],
  ['-f Dockerfile', 'works'], ['--file -', 'works'], ['--iidfile x', 'works'], ['--metadata-file x', 'works'], ['--label k=v', 'works'],
  ['--load', 'works'], ['--push', 'works'], ['-o out', 'works'], ['--output type=oci,dest=x', 'works'],
  ['--network host', 'works'], ['--network none', 'works'], ['--network default', 'works'], ['--network mine', 'refused'],
  ['--no-cache', 'works'], ['--no-cache-filter a,b', 'works'], ['--platform linux/amd64,linux/arm64', 'works'], ['--platform local', 'works'],
  ['--policy filename=x', 'refused'], ['--progress plain', 'works'], ['--progress rawjson', 'works'], ['--progress none', 'works'], ['--progress loud', 'refused'],
  ['--pull', 'works'], ['-q', 'works'], ['--secret id=a,src=b', 'works'], ['--secret type=env,id=a', 'works'], ['--secret id=a,b', 'refused'], ['--secret src=b', 'refused'],
  ['--ssh default', 'works'], ['--ssh id=/socket', 'works'], ['--ssh id=a,b', 'works'], ['-t name', 'works'], ['--target stage', 'works'],
  ['--compress', 'does nothing'], ['--rm', 'does nothing'], ['--force-rm', 'does nothing'], ['--rm=false', 'does nothing'],
  ['--isolation default', 'warns'], ['--isolation hyperv', 'warns'], ['--isolation chroot', 'refused'], ['--security-opt label=disable', 'warns'], ['--squash', 'warns'],
];

for (const [words, expected] of table) test(`build ${words}: ${expected}`, () => assert.equal(verdict(words.split(' ')), expected));

function verdict(words: string[]): Verdict {
  const [name] = words[0]!.split('=') as [string];
  try {
    if (warningsOf(words).length > 0) return 'warns';
    return ignoredFlags.some((flag) => flag.split(' ')[0] === name) ? 'does nothing' : 'works';
  } catch (error) {
    assert.ok(isSiruError(error), String(error));
    assert.match(error.code, /USAGE|UNSUPPORTED/);
    // docker's single flags are told as the resource that they mean.
    assert.ok(error.message.includes(name) || error.message.includes(`--resource ${name.slice(2)}=`), error.message);
    return 'refused';
  }
}

/** Reads the words as `siru build` does before it begins. */
function warningsOf(words: string[]): string[] {
  const command = new Command('build').exitOverride().configureOutput({ writeErr: () => {} });
  configure(command);
  command.parse(plainArguments(command, [...words, '.'], false), { from: 'user' });
  const flags = command.opts<BuildFlags>();
  refuseUnsupported(flags);
  refuseAttestations(flags);
  buildCall(flags);
  progressMode(flags, {});
  buildOptions(flags, '.', { SSH_AUTH_SOCK: '/agent' });
  return droppedWarnings(flags);
}

test('what the flags of RUN steps come to', () => {
  const options = (line: string): object => {
    const command = new Command('build').exitOverride();
    configure(command);
    command.parse(plainArguments(command, [...line.split(' '), '.'], false), { from: 'user' });
    return buildOptions(command.opts<BuildFlags>(), '.', { SSH_AUTH_SOCK: '/agent' });
  };
  const table: [string, object][] = [
    ['--ulimit nofile=1:2 --ulimit core=-1 --ulimit nofile=3', { ulimits: [{ name: 'nofile', soft: 3, hard: 3 }, { name: 'core', soft: -1, hard: -1 }] }],
    ['--ulimit nofile=5:-1', { ulimits: [{ name: 'nofile', soft: 5, hard: -1 }] }],
    ['--shm-size 128m --cgroup-parent a//b/', { shmSize: 128 << 20, cgroupParent: '/a/b' }],
    ['-m 64m --memory-swap -1 -c 512 --cpuset-cpus 0,2-3', { limits: { memory: 64 << 20, memorySwap: -1, cpuShares: 512, cpusetCpus: '0,2-3' } }],
    ['--resource cpuset-mems=0,1,cpu-quota=50 --resource cpu-period=100', { limits: { cpusetMems: '0,1', cpuQuota: 50, cpuPeriod: 100 } }],
    ['--ssh default --ssh a=/x,/y', { ssh: [{ id: 'default', paths: ['/agent'] }, { id: 'a', paths: ['/x', '/y'] }] }],
    ['--no-cache-filter a,b --no-cache-filter c', { noCache: false, noCacheFilter: ['a', 'b', 'c'] }],
    ['--no-cache', { noCache: true, noCacheFilter: [] }],
    ['--allow network.host,security.insecure', { allow: ['network.host', 'security.insecure'] }],
  ];
  for (const [line, expected] of table) assert.partialDeepStrictEqual(options(line), expected, line);
  assert.throws(() => parseAgents(['default'], {}), /SSH_AUTH_SOCK/);
  assert.throws(() => parseAgents(['a=/x', 'a=/y'], {}), /twice/);
});
