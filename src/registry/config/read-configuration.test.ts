import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../../base/errors.ts';
import { parseByShape, parseConfiguration } from './read-configuration.ts';
import { keysOf } from './shape.ts';
import type { Shape } from './shape.ts';

test('a file is read: durations as milliseconds, paths from the folder of the file', () => {
  const text = 'listen: :5000\ngrace: 1m30s\nroot: data # here\ntls:\n  certificate: /etc/cert.pem\n  key: key.pem\ndelete: false\nrequire: {manifests: true}\n';
  assert.deepEqual(parseConfiguration(text, '/srv/registry/siru.yaml'), {
    listen: ':5000', grace: 90_000, root: '/srv/registry/data', tls: { certificate: '/etc/cert.pem', key: '/srv/registry/key.pem' },
    delete: false, require: { manifests: true },
  });
  for (const empty of ['', '# nothing\n', '---\n', '{}']) assert.deepEqual(parseConfiguration(empty, 'x.yaml'), {});
});

test('what is wrong is told with line, column and the way out', () => {
  const wrong: [text: string, message: string, hint?: RegExp][] = [
    ['root: /srv\nlisen: :5000\n', 'x.yaml:2:1: unknown key "lisen" (did you mean listen?)', /root, listen, tls/],
    ['tls:\n  certificate: a\n  keys: b\n', 'x.yaml:3:3: unknown key "tls.keys" (did you mean key?)'],
    ['tls:\n  certificate: a\n', 'x.yaml:2:3: tls has no key'],
    ['log: xml\n', 'x.yaml:1:6: log is "xml", not one of text, json, none'],
    ['grace: soon\n', 'x.yaml:1:8: grace is "soon", not a duration like 90s, 24h or 7d'],
    ['grace: 30\n', 'x.yaml:1:8: grace is 30, not a duration like 90s, 24h or 7d'],
    ['delete: "yes"\n', 'x.yaml:1:9: delete is "yes", not true or false'],
    ['delete: yes\n', 'x.yaml:1:9: delete is "yes", not true or false'],
    ['root:\n', 'x.yaml:1:6: root is empty, not a path'],
    ['root: [a]\n', 'x.yaml:1:7: root is a list, not a path'],
    ['listen: nowhere\n', 'x.yaml:1:9: listen "nowhere" is no address: write host:port, as in 127.0.0.1:5000 or :5000'],
    ['- a\n', 'x.yaml:1:1: the file is a list, not a group of keys'],
    ['root: a\nroot: b\n', 'x.yaml:2:1: Map keys must be unique'],
    ['root: "a\n', 'x.yaml:2:1: Missing closing "quote'],
    ['__proto__: {}\n', 'x.yaml:1:1: unknown key "__proto__"', /Possible/],
  ];
  for (const [text, message, hint] of wrong) {
    assert.throws(() => parseConfiguration(text, 'x.yaml'), (error) => {
      assert.ok(isSiruError(error) && error.code === 'CONFIG');
      assert.equal(error.message, message);
      if (hint) assert.match(error.hint ?? '', hint);
      return true;
    }, text);
  }
});

const shape: Shape = {
  type: 'group', about: '', members: {
    rules: { type: 'list', about: '', of: { type: 'group', about: '', members: { users: { type: 'list', about: '', of: { type: 'text', about: '' } }, limit: { type: 'size', about: '' } } } },
    names: { type: 'map', about: '', of: { type: 'number', about: '', least: 1, most: 5 } },
  },
};

test('lists, one value in place of a list, maps and aliases are read', () => {
  assert.deepEqual(parseByShape('rules:\n- users: &all [ann, 5]\n  limit: 10MB\n- users: *all\n- users: bob\nnames: {a: 1}\n', 'x', shape), {
    rules: [{ users: ['ann', '5'], limit: 10_000_000 }, { users: ['ann', '5'] }, { users: ['bob'] }], names: { a: 1 },
  });
  assert.throws(() => parseByShape('names: {a: 9}', 'x', shape), /x:1:12: names\.a is 9, not from 1 to 5/);
  assert.throws(() => parseByShape('rules:\n  - limit: much\n', 'x', shape), /x:2:12: rules\[0\]\.limit is "much", not a size/);
});

test('the keys of a shape are listed for the page about it', () => {
  assert.deepEqual([...keysOf(shape)].map(([key]) => key), ['rules', 'rules[].users', 'rules[].limit', 'names', 'names.*']);
});

test('whatever stands in a file, it is read or refused as CONFIG', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\w:\n {}[\]&*!|>"'#-]{0,60}$/)), (text) => {
    try {
      parseConfiguration(text, 'x');
    } catch (error) {
      assert.ok(isSiruError(error) && error.code === 'CONFIG', String(error));
    }
  }), { numRuns: 2000 });
});
