/** docs/registry.md has a row for each key of the configuration, with the default and the words of the code, and its example is good. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { configurationShape } from '../../src/registry/config/configuration.ts';
import { parseConfiguration } from '../../src/registry/config/read-configuration.ts';
import { keysOf } from '../../src/registry/config/shape.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/registry.md'), 'utf8');

test('every key of the configuration is documented', () => {
  const rows = [...page.matchAll(/^\| `([\w.[\]*-]+)` \| (.*?) ?\| (.+) \|$/gm)].map(([, key, value, about]) => `${key} | ${value} | ${about!.replace(/\]\(.+?\)/g, '').replace('[', '')}`);
  const keys = [...keysOf(configurationShape)].map(([key, shape]) => {
    const choice = 'oneOf' in shape && shape.oneOf ? `${shape.about.replace(/\.$/, '')}: ${shape.oneOf.slice(0, -1).join(', ')} or ${shape.oneOf.at(-1)}.` : shape.about;
    return `${key} | ${'default' in shape ? (shape.default ?? '') : ''} | ${choice}`;
  });
  assert.deepEqual(rows, keys);
});

test('the examples are good', () => {
  const examples = [...page.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, text]) => text!).filter((text) => !text.includes('apiVersion:'));
  assert.ok(examples.length > 0);
  for (const text of examples) parseConfiguration(text, 'example.yaml');
});
