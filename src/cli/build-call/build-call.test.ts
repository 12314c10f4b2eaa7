/** What --check and --call print: BuildKit's forms, and a SARIF document that tools can read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CheckResult } from '../../build/call/check.ts';
import type { Outline } from '../../build/call/outline.ts';
import { pageOf, ruleOf, rules } from '../../dockerfile/checks/rules.ts';
import { DockerfileError } from '../../dockerfile/errors.ts';
import { checkJson } from './check-json.ts';
import { checkText } from './check-text.ts';
import { describeJson, describeText } from './describe.ts';
import { buildCall } from './method.ts';
import { outlineJson, outlineText } from './outline.ts';
import { sarif } from './sarif.ts';
import { targetsJson, targetsText } from './targets.ts';

const source = { name: 'Dockerfile', text: 'FROM scratch\nENV a \\\n b\nMAINTAINER x\n' };
const warning = (name: string, text: string, start: number, end = start): CheckResult['warnings'][number] => {
  const rule = ruleOf(name)!;
  return { rule, text, lines: { start, end }, page: pageOf(rule) };
};
const found: CheckResult = { warnings: [warning('LegacyKeyValueFormat', 'old', 2, 3), warning('MaintainerDeprecated', 'older', 4)], source, path: 'my dir/Dockerfile', unknown: [] };
const clean: CheckResult = { warnings: [], source, unknown: [] };
const broken: CheckResult = { ...clean, error: new DockerfileError(source, { start: 4, end: 4 }, 'unknown instruction') };

test('flags: --check and --call, in docker\'s words', () => {
  const check = { method: 'check', format: 'text', ignoreStatus: false };
  assert.equal(buildCall({}), undefined);
  assert.equal(buildCall({ call: 'build' }), undefined);
  for (const flags of [{ check: true }, { call: 'check' }, { call: 'lint' }, { check: true, call: 'check' }]) assert.deepEqual(buildCall(flags), check);
  assert.deepEqual(buildCall({ call: 'check,format=json,ignorestatus=true' }), { method: 'check', format: 'json', ignoreStatus: true });
  assert.deepEqual(buildCall({ check: true, format: 'sarif' }), { ...check, format: 'sarif' });
  assert.deepEqual(buildCall({ call: 'subrequests.describe', format: 'json' }), { method: 'subrequests.describe', format: 'json', ignoreStatus: false });
});

test('flags that make no sense are refused with what there is', () => {
  for (const [flags, message] of [
    [{ call: 'outlien' }, /unknown method "outlien"/],
    [{ check: true, call: 'outline' }, /ask for different things/],
    [{ check: true, format: 'yaml' }, /unknown format "yaml"/],
    [{ call: 'check,fromat=json' }, /unknown key "fromat"/],
    [{ call: 'outline', format: 'sarif' }, /no sarif format/],
    [{ call: 'check,ignorestatus=maybe' }, /true or false/],
    [{ format: 'json' }, /for --check and --call/],
  ] as const) assert.throws(() => buildCall(flags), { code: 'USAGE', message });
});

test('a check as text', () => {
  assert.equal(checkText(clean), 'Check complete, no warnings found.\n');
  const text = checkText(found);
  assert.match(text, /^Check complete, 2 warnings have been found!\n\nWARNING: LegacyKeyValueFormat - docs\/checks\/LegacyKeyValueFormat\.md\nold\nmy dir\/Dockerfile:2\n-{20}\n {2}1 \| {5}FROM scratch\n {2}2 \| >>> ENV a/);
  assert.match(checkText({ ...found, warnings: found.warnings.slice(1) }), /^Check complete, 1 warning has been found!\n/);
});

test('a check as JSON has a range for each line, the source, and why it cannot be built', () => {
  assert.deepEqual(checkJson(found), {
    warnings: [
      { ruleName: 'LegacyKeyValueFormat', description: ruleOf('LegacyKeyValueFormat')!.description, url: 'docs/checks/LegacyKeyValueFormat.md', detail: 'old', location: { ranges: [2, 3].map((line) => ({ start: { line }, end: { line } })) } },
      { ruleName: 'MaintainerDeprecated', description: ruleOf('MaintainerDeprecated')!.description, url: 'docs/checks/MaintainerDeprecated.md', detail: 'older', location: { ranges: [{ start: { line: 4 }, end: { line: 4 } }] } },
    ],
    sources: [{ filename: 'Dockerfile', data: Buffer.from(source.text).toString('base64'), language: 'Dockerfile' }],
  });
  assert.deepEqual((checkJson(broken) as { buildError: object }).buildError, { message: 'unknown instruction', location: { ranges: [{ start: { line: 4 }, end: { line: 4 } }] } });
});

test('a check as SARIF 2.1.0: every rule, every result at its lines, results that point at rules', () => {
  interface Place { physicalLocation: { artifactLocation: { uri: string }; region?: { startLine: number; endLine: number } } }
  interface Log {
    $schema: string;
    version: string;
    runs: {
      tool: { driver: { name: string; version: string; rules: { id: string; shortDescription: { text: string }; defaultConfiguration: { enabled: boolean; level: string } }[] } };
      invocations: { executionSuccessful: boolean; toolExecutionNotifications?: { level: string; message: { text: string }; locations: Place[] }[] }[];
      results: { ruleId: string; ruleIndex: number; level: string; message: { text: string }; locations: Place[] }[];
    }[];
  }
  const log = JSON.parse(JSON.stringify(sarif(found))) as Log;
  assert.equal(log.version, '2.1.0');
  assert.match(log.$schema, /sarif-2\.1\.0\.json$/);
  assert.equal(log.runs.length, 1);
  const { tool, results, invocations } = log.runs[0]!;
  assert.deepEqual(tool.driver.rules.map(({ id }) => id), rules.map(({ name }) => name));
  assert.ok(tool.driver.rules.every((rule) => rule.shortDescription.text !== '' && rule.defaultConfiguration.level === 'warning'));
  assert.deepEqual(invocations, [{ executionSuccessful: true }]);
  for (const result of results) {
    assert.equal(tool.driver.rules[result.ruleIndex]!.id, result.ruleId);
    assert.ok(['none', 'note', 'warning', 'error'].includes(result.level));
    assert.ok(result.message.text !== '' && result.locations.length === 1);
  }
  assert.deepEqual(results[0]!.locations[0]!.physicalLocation, { artifactLocation: { uri: 'my%20dir/Dockerfile' }, region: { startLine: 2, endLine: 3 } });
  const failed = (JSON.parse(JSON.stringify(sarif(broken))) as Log).runs[0]!;
  assert.equal(failed.invocations[0]!.executionSuccessful, false);
  assert.equal(failed.invocations[0]!.toolExecutionNotifications![0]!.locations[0]!.physicalLocation.region!.startLine, 4);
});

const lines = { start: 2, end: 2 };
const location = { ranges: [{ start: { line: 2 }, end: { line: 2 } }] };

test('an outline as tables and as JSON', () => {
  const outline: Outline = {
    name: 'app',
    description: 'all of it',
    args: [{ name: 'VERSION', value: '1', description: 'to take', lines }, { name: 'X', lines }],
    secrets: [{ name: 'token', required: true, lines }],
    ssh: [{ name: 'default', lines }],
    cache: [],
    source,
  };
  assert.equal(
    outlineText(outline),
    'TARGET:      app\nDESCRIPTION: all of it\n\nBUILD ARG   VALUE   DESCRIPTION\nVERSION     1       to take\nX\n\nSECRET   REQUIRED\ntoken    true\n\nSSH       REQUIRED\ndefault\n\n',
  );
  assert.deepEqual(outlineJson(outline), {
    name: 'app',
    description: 'all of it',
    args: [{ name: 'VERSION', value: '1', description: 'to take', location }, { name: 'X', location }],
    secrets: [{ name: 'token', required: true, location }],
    ssh: [{ name: 'default', location }],
    sources: [Buffer.from(source.text).toString('base64')],
  });
  assert.equal(outlineText({ args: [], secrets: [], ssh: [], cache: [], source }), '');
});

test('targets as a table and as JSON', () => {
  const list = { targets: [{ name: 'base', description: 'below all', base: 'scratch', platform: '$BUILDPLATFORM', lines }, { default: true as const, base: 'base', lines }], source };
  assert.equal(targetsText(list), 'TARGET    DESCRIPTION\nbase      below all\n(default)\n');
  assert.deepEqual(targetsJson(list), {
    targets: [{ name: 'base', description: 'below all', base: 'scratch', platform: '$BUILDPLATFORM', location }, { default: true, base: 'base', location }],
    sources: [Buffer.from(source.text).toString('base64')],
  });
});

test('the calls describe themselves', () => {
  assert.match(describeText(), /^NAME +VERSION DESCRIPTION\noutline +1\.0\.0 +\S/);
  assert.deepEqual((describeJson() as { name: string }[]).map(({ name }) => name), ['frontend.outline', 'frontend.targets', 'frontend.lint', 'frontend.subrequests.describe']);
});
