import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { sha256 } from '../oci/digest.ts';
import { tinyLayer, tinyRecord, tinyStore } from './tiny.suite.ts';

const key = sha256('key');

test('a record comes back as it was put', async (t) => {
  const store = await tinyStore(t);
  const record = tinyRecord(key, tinyLayer(store, 'one'));
  assert.equal(store.records.get(key), undefined);
  store.records.put(record);
  assert.deepEqual(store.records.get(key), record);
  const { created: _, ...without } = record;
  store.records.put(without);
  assert.deepEqual(store.records.get(key), without);
});

test('a record whose layer is gone is a miss, and its parts are still told', async (t) => {
  const store = await tinyStore(t);
  const layer = tinyLayer(store, 'one');
  const record = tinyRecord(key, layer);
  store.records.put(record);
  assert.deepEqual(store.records.parts(key), { parts: record.parts, evicted: false, text: record.text, diffId: record.layer.diffId, executed: record.executed, took: record.took });
  rmSync(store.blobs.path(layer.diffId));
  assert.equal(store.records.get(key), undefined);
  assert.equal(store.records.byTree('copy', layer.treeDigest), undefined);
  assert.deepEqual(store.records.parts(key), { parts: record.parts, evicted: true, text: record.text, diffId: record.layer.diffId, executed: record.executed, took: record.took });
  assert.equal(store.records.parts(sha256('never')), undefined);
});

test('the same tree is found within its scope only', async (t) => {
  const store = await tinyStore(t);
  const layer = tinyLayer(store, 'one');
  store.records.put(tinyRecord(key, layer));
  assert.equal(store.records.byTree('copy', layer.treeDigest)?.key, key);
  assert.equal(store.records.byTree('run', layer.treeDigest), undefined);
  assert.equal(store.records.byTree('copy', sha256('other')), undefined);
});

test('a place remembers its last key', async (t) => {
  const store = await tinyStore(t);
  assert.equal(store.records.lastKey('p/s/1'), undefined);
  store.records.note('p/s/1', key);
  store.records.note('p/s/1', key);
  assert.equal(store.records.lastKey('p/s/1'), key);
  store.records.note('p/s/1', sha256('next'));
  assert.equal(store.records.lastKey('p/s/1'), sha256('next'));
});
