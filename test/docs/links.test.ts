/** Links between the documents lead somewhere: to a file of the project, and to a heading that it has. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');
const documents = ['.', 'docs', 'docs/decisions'].flatMap((folder) =>
  readdirSync(join(root, folder)).filter((name) => name.endsWith('.md')).map((name) => join(root, folder, name)),
);

/** Text outside of code. */
function prose(file: string): string {
  return readFileSync(file, 'utf8').replace(/^```[^]*?^```/gm, '').replace(/^ {4}.*$/gm, '').replace(/`[^`\n]*`/g, (code) => code.replace(/[[\]]/g, ' '));
}

/** As GitHub names headings. */
function anchors(file: string): string[] {
  return [...prose(file).matchAll(/^#+ (.+)$/gm)].map(([, title]) => title!.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-'));
}

for (const document of documents) {
  test(`links of ${relative(root, document)}`, () => {
    const broken: string[] = [];
    for (const [, target] of prose(document).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [path = '', anchor] = target!.split('#');
      const file = path === '' ? document : resolve(dirname(document), path);
      if (!existsSync(file)) broken.push(`${target}: there is no such file`);
      else if (anchor !== undefined && (statSync(file).isDirectory() || !anchors(file).includes(anchor))) broken.push(`${target}: there is no such heading`);
    }
    assert.deepEqual(broken, []);
  });
}
