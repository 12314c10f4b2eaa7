/** The files for running a registry are good: the configuration, the unit, and the manifest as far as YAML tells. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { readConfiguration } from '../../src/registry/config/read-configuration.ts';

const file = (name: string): string => join(import.meta.dirname, name);
const noSystemd = spawnSync('systemd-analyze', ['--version']).error ? 'systemd-analyze is not installed' : false;

test('registry.yaml is a configuration', () => {
  assert.equal(readConfiguration(file('registry.yaml')).listen, ':5000');
});

test('systemd takes the unit', { skip: noSystemd }, () => {
  const { stderr, stdout } = spawnSync('systemd-analyze', ['verify', file('siru-registry.service')]);
  const about = `${stdout.toString()}${stderr.toString()}`.split('\n').filter((line) => line.includes('siru-registry.service'));
  assert.deepEqual(about, []);
});

test('kubernetes.yaml is two objects whose probes, ports and paths are the configuration\'s', () => {
  const documents = parseAllDocuments(readFileSync(file('kubernetes.yaml'), 'utf8'));
  assert.deepEqual(documents.flatMap(({ errors }) => errors), []);
  assert.deepEqual(documents.map((one) => one.get('kind')), ['Service', 'StatefulSet']);
  const container = documents[1]!.getIn(['spec', 'template', 'spec', 'containers', 0]) as { toJSON(): { ports: { containerPort: number }[]; volumeMounts: { mountPath: string }[] } };
  const { ports, volumeMounts } = container.toJSON();
  const { listen, root } = readConfiguration(file('registry.yaml'));
  assert.equal(listen, `:${ports[0]!.containerPort}`);
  assert.equal(volumeMounts[0]!.mountPath, root);
});
