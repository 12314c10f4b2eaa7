/** The files for running a registry are good: the configuration, the unit, and the manifest, whose parts fit together. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { parseConfiguration, readConfiguration } from '../../src/registry/config/read-configuration.ts';

const file = (name: string): string => join(import.meta.dirname, name);

const without = spawnSync('systemd-analyze', ['--version']).status === 0 ? false : 'systemd-analyze is not installed';

test('registry.yaml is a configuration, and keeps the content where the unit may write', () => {
  const { listen, root } = readConfiguration(file('registry.yaml'));
  assert.equal(listen, ':5000');
  assert.equal(root, '/var/lib/siru-registry');
});

test('systemd takes the unit', { skip: without }, () => {
  const unit = readFileSync(file('siru-registry.service'), 'utf8');
  const folder = mkdtempSync(join(tmpdir(), 'siru-unit-'));
  try {
    // It looks for the program, too.
    const program = join(folder, 'siru');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    const copy = join(folder, 'siru-registry.service');
    writeFileSync(copy, unit.replaceAll('/usr/local/bin/siru', program));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', copy], { encoding: 'utf8' });
    const own = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('siru-registry'));
    assert.deepEqual(own, []);
    assert.equal(status, 0, stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

interface Container {
  ports: { name: string }[];
  volumeMounts: { name: string; mountPath: string }[];
  livenessProbe: { httpGet: { port: string } };
  readinessProbe: { httpGet: { port: string } };
}

interface Resource {
  apiVersion: string;
  kind: string;
  metadata: { name: string };
  data?: Record<string, string>;
  spec?: {
    selector: { app?: string; matchLabels?: object };
    ports?: { targetPort: string }[];
    template?: { metadata: { labels: object }; spec: { terminationGracePeriodSeconds: number; containers: Container[]; volumes: { name: string; persistentVolumeClaim?: { claimName: string }; configMap?: { name: string } }[] } };
  };
}

test('the manifest is YAML whose parts fit together, and the configuration in it is good', () => {
  const documents = parseAllDocuments(readFileSync(file('kubernetes.yaml'), 'utf8'));
  const resources = (Array.isArray(documents) ? documents : []).map((document) => {
    assert.deepEqual(document.errors, []);
    return document.toJS() as Resource;
  });
  const find = (kind: string): Resource => resources.find((one) => one.kind === kind)!;
  assert.deepEqual(resources.map(({ kind }) => kind), ['ConfigMap', 'PersistentVolumeClaim', 'Deployment', 'Service']);
  const { template, selector } = find('Deployment').spec!;
  const { containers: [container], volumes, terminationGracePeriodSeconds } = template!.spec;
  const { ports, volumeMounts, livenessProbe, readinessProbe } = container!;
  assert.deepEqual(selector.matchLabels, template!.metadata.labels);
  assert.deepEqual(find('Service').spec!.selector, template!.metadata.labels);
  assert.deepEqual(volumeMounts.map(({ name }) => name).toSorted(), volumes.map(({ name }) => name).toSorted());
  const names = ports.map(({ name }) => name);
  for (const port of [...find('Service').spec!.ports!.map(({ targetPort }) => targetPort), livenessProbe.httpGet.port, readinessProbe.httpGet.port]) assert.ok(names.includes(port), port);
  assert.equal(volumes.find(({ persistentVolumeClaim }) => persistentVolumeClaim)!.persistentVolumeClaim!.claimName, find('PersistentVolumeClaim').metadata.name);
  const configMap = find('ConfigMap');
  assert.equal(volumes.find((volume) => volume.configMap)!.configMap!.name, configMap.metadata.name);

  const configuration = parseConfiguration(configMap.data!['registry.yaml']!, '/etc/siru/registry.yaml');
  const mounts = volumeMounts.map(({ mountPath }) => mountPath);
  for (const path of [configuration.root!, configuration.tls!.certificate, configuration.tls!.key, configuration.access!.users!]) {
    assert.ok(mounts.some((mount) => path === mount || path.startsWith(`${mount}/`)), path);
  }
  assert.ok(terminationGracePeriodSeconds * 1000 > (configuration.grace ?? 30_000));
});
