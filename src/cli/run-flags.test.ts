import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCpus, parseMemory, parseMount, parseRunNetwork, parseTmpfs, parseVolume, runEnvironment } from './run-flags.ts';

test('volumes and mounts', () => {
  assert.deepEqual(parseVolume('/a:/b', '/here'), { type: 'bind', source: '/a', target: '/b', readonly: false });
  assert.deepEqual(parseVolume('./a:/b:ro,z', '/here'), { type: 'bind', source: '/here/a', target: '/b', readonly: true });
  assert.deepEqual(parseVolume('.:/b', '/here'), { type: 'bind', source: '/here', target: '/b', readonly: false });
  assert.throws(() => parseVolume('name:/b', '/'), /named volumes/);
  assert.throws(() => parseVolume('/data', '/'), /volumes without a name/);
  assert.throws(() => parseVolume('/a:b', '/'), /not an absolute path/);
  assert.throws(() => parseVolume('/a:/b:odd', '/'), /unknown option odd/);
  assert.deepEqual(parseMount('type=bind,source=a,target=/b,readonly', '/here'), { type: 'bind', source: '/here/a', target: '/b', readonly: true });
  assert.deepEqual(parseMount('type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1777', '/'), { type: 'tmpfs', target: '/t', size: 1 << 20, mode: 0o1777 });
  assert.throws(() => parseMount('type=volume,dst=/t', '/'), { code: 'UNSUPPORTED' });
  assert.throws(() => parseMount('type=bind,src=a,dst=/b,odd=1', '/'), /unknown key odd/);
  assert.deepEqual(parseTmpfs('/t:size=64k,mode=700'), { type: 'tmpfs', target: '/t', size: 65_536, mode: 0o700 });
  assert.deepEqual(parseTmpfs('/t'), { type: 'tmpfs', target: '/t' });
});

test('the environment is docker\'s: later wins, a name alone takes what is set outside, or removes the variable', () => {
  const files = [{ name: 'f', text: '# comment\nA=1\nB=quoted "x" # no comment\n\nOUTSIDE\nABSENT\n  C=3\r\n' }];
  assert.deepEqual(runEnvironment(files, ['A=2', 'OUTSIDE', 'GONE', 'E='], { OUTSIDE: 'o' }), [
    ['A', '1'], ['B', 'quoted "x" # no comment'], ['OUTSIDE', 'o'], ['C', '3'], ['A', '2'], ['OUTSIDE', 'o'], ['GONE', undefined], ['E', ''],
  ]);
  assert.throws(() => runEnvironment([{ name: 'f', text: 'A=1\nB C=2' }], [], {}), /f:2: .*white space/);
  assert.throws(() => runEnvironment([], ['=x'], {}), /without a name/);
});

test('limits and networks', () => {
  assert.equal(parseMemory('512m'), 512 << 20);
  assert.throws(() => parseMemory('1k'), /less than 6m/);
  assert.equal(parseCpus('1.5'), 1.5);
  assert.throws(() => parseCpus('-1'), /not a positive number/);
  assert.equal(parseRunNetwork('host'), 'host');
  assert.equal(parseRunNetwork(undefined), undefined);
  assert.throws(() => parseRunNetwork('bridge'), /none and host/);
});
