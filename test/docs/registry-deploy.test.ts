/** The systemd unit and the Kubernetes manifest of docs/registry.md are what those programs take, and fit together. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { parseConfiguration } from '../../src/registry/config/read-configuration.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/registry.md'), 'utf8');
const blocks = (language: string): string[] => [...page.matchAll(new RegExp(`^\`\`\`${language}\n([^]*?)^\`\`\``, 'gm'))].map(([, text]) => text!);

const without = spawnSync('systemd-analyze', ['--version']).status === 0 ? false : 'systemd-analyze is not installed';

test('systemd takes the unit', { skip: without }, () => {
  const [unit] = blocks('ini');
  const folder = mkdtempSync(join(tmpdir(), 'siru-unit-'));
  try {
    // It looks for the program, too.
    const program = join(folder, 'siru');
    writeFileSync(program, '#!/bin/sh\n');
    chmodSync(program, 0o755);
    const file = join(folder, 'siru-registry.service');
    writeFileSync(file, unit!.replaceAll('/usr/local/bin/siru', program));
    const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
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
  const documents = parseAllDocuments(blocks('yaml').find((text) => text.includes('apiVersion:'))!);
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
