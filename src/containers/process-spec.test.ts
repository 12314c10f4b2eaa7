import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerConfig } from '../oci/image-config.ts';
import type { RunOptions } from './options.ts';
import { defaultPath, processSpec } from './process-spec.ts';

const id = '0123456789abcdef'.repeat(4);
const spec = (config: ContainerConfig, options: Partial<RunOptions> = {}): ReturnType<typeof processSpec> => processSpec(config, options, id);

for (const [name, config, options, expected] of [
  ['ENTRYPOINT and CMD', { Entrypoint: ['e'], Cmd: ['a', 'b'] }, {}, ['e', 'a', 'b']],
  ['arguments in place of CMD', { Entrypoint: ['e'], Cmd: ['a'] }, { args: ['x', 'y'] }, ['e', 'x', 'y']],
  ['CMD alone', { Cmd: ['a', 'b'] }, {}, ['a', 'b']],
  ['an entrypoint of the caller clears CMD', { Entrypoint: ['e'], Cmd: ['a'] }, { entrypoint: 'f' }, ['f']],
  ['an entrypoint of the caller with arguments', { Entrypoint: ['e'], Cmd: ['a'] }, { entrypoint: 'f', args: ['x'] }, ['f', 'x']],
  ['no entrypoint at all', { Entrypoint: ['e'], Cmd: ['a'] }, { entrypoint: '', args: ['x'] }, ['x']],
] as [string, ContainerConfig, Partial<RunOptions>, string[]][]) {
  test(`the command: ${name}`, () => assert.deepEqual(spec(config, options).args, expected));
}

test('nothing to execute is refused', () => {
  assert.throws(() => spec({}), { code: 'USAGE' });
  assert.throws(() => spec({ Entrypoint: null, Cmd: null }), { code: 'USAGE' });
  assert.throws(() => spec({ Entrypoint: ['e'], Cmd: ['a'] }, { entrypoint: '' }), { code: 'USAGE' });
});

const Env = ['A=1', 'PATH=/own', 'B=x=y', 'EMPTY='];
for (const [name, config, options, expected] of [
  ['defaults', {}, {}, [`PATH=${defaultPath}`, 'HOSTNAME=0123456789ab']],
  ['the image', { Env }, {}, ['PATH=/own', 'HOSTNAME=0123456789ab', 'A=1', 'B=x=y', 'EMPTY=']],
  ['changed, new, taken away', { Env }, { env: [['B', '2'], ['C', '3'], ['A', undefined], ['C', '4']] }, ['PATH=/own', 'HOSTNAME=0123456789ab', 'B=2', 'EMPTY=', 'C=4']],
  ['a terminal', {}, { tty: true, hostname: 'box' }, [`PATH=${defaultPath}`, 'HOSTNAME=box', 'TERM=xterm']],
  ['a terminal of another kind', {}, { tty: true, env: [['TERM', 'vt100']], hostname: 'box' }, [`PATH=${defaultPath}`, 'HOSTNAME=box', 'TERM=vt100']],
] as [string, ContainerConfig, Partial<RunOptions>, string[]][]) {
  test(`the environment: ${name}`, () => assert.deepEqual(spec({ Cmd: ['c'], ...config }, options).env, expected));
}

test('directory and user are the image\'s or the caller\'s', () => {
  const config = { Cmd: ['c'], WorkingDir: '/w', User: 'app' };
  assert.deepEqual([spec(config).cwd, spec(config).user], ['/w', { name: 'app' }]);
  assert.deepEqual([spec(config, { workdir: '/x', user: '7:8' }).cwd, spec(config, { user: '7:8' }).user], ['/x', { name: '7:8' }]);
  assert.deepEqual([spec({ Cmd: ['c'] }).cwd, spec({ Cmd: ['c'] }).user], ['/', { name: '' }]);
  assert.throws(() => spec(config, { workdir: 'x' }), { code: 'USAGE' });
});

test('mounts, network, hosts and limits', () => {
  const made = spec({ Cmd: ['c'] }, {
    mounts: [{ type: 'bind', source: '/s', target: '/t', readonly: true }, { type: 'tmpfs', target: '/m', size: 5 }],
    network: 'none', addHosts: [['db', '10.0.0.1']], memory: 1 << 20, cpus: 0.5, readonlyRoot: true, init: true,
  });
  assert.deepEqual(made.mounts.slice(1), [{ type: 'bind', source: '/s', target: '/t', readonly: true }, { type: 'tmpfs', target: '/m', size: 5, noexec: true }]);
  assert.deepEqual([made.network, made.hosts, made.limits, made.readonlyRoot, made.init], ['none', [['10.0.0.1', 'db']], { memory: 1 << 20, cpus: 0.5 }, true, true]);
  for (const target of ['x', '/', '//']) assert.throws(() => spec({ Cmd: ['c'] }, { mounts: [{ type: 'tmpfs', target }] }), { code: 'USAGE' });
});
