/** Lines, words, heredocs and directives: the published vectors. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSiruError } from '../base/errors.ts';
import { readCases, runCases } from '../oci/vectors.suite.ts';
import { detectSyntax, findDirective } from './directives.ts';
import { parseHeredocWord } from './heredoc.ts';
import { parseLines, type Node } from './parse-lines.ts';

const parse = (text: string) => parseLines({ name: 'Dockerfile', text });

/** Text as Go's %q writes it. */
function quote(text: string): string {
  const names: Record<string, string> = { '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '"': '\\"', '\\': '\\\\' };
  // oxlint-disable-next-line no-control-regex
  return `"${text.replace(/[\u0000-\u001f\u007f"\\]/g, (char) => names[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)}"`;
}

function dump(node: Node): string {
  const flags = node.flags.length > 0 ? ` [${node.flags.map(quote).join(' ')}]` : '';
  const args = node.sub ? ` ${dump(node.sub)}` : node.args.map((arg) => ` ${quote(arg)}`).join('');
  return `(${node.cmd}${flags}${args})`;
}

function tree({ cmd, args, flags, json, heredocs, lines, sub }: Node): any {
  const result: any = { cmd, args: sub ? [{ sub: [tree(sub)] }] : args, start: lines.start, end: lines.end };
  if (flags.length > 0) result.flags = flags;
  if (json) result.json = true;
  if (heredocs.length > 0) result.heredocs = heredocs;
  return result;
}

function holds({ op, input, expect }: any): void {
  const text: string = input.text_template?.replace(/\{(.)\*(\d+)\}/, (_: string, char: string, count: string) => char.repeat(Number(count))) ?? input.text;
  const throws = (what: () => unknown): void => {
    const part = expect.message ?? expect.message_contains ?? '';
    assert.throws(what, (error: Error) => isSiruError(error) && error.message.includes(part));
  };
  switch (op) {
    case 'directive.syntax': {
      const found = detectSyntax(text);
      return assert.deepEqual(found ? { ...found, ok: true } : { ok: false }, expect);
    }
    case 'directive.get': {
      const found = findDirective(text, input.name);
      return assert.deepEqual(found ? { ok: true, line: found.line, cmdline: found.value, value: found.value.split(' ')[0] } : { ok: false }, expect);
    }
    case 'heredoc':
      return expect.error ? throws(() => parseHeredocWord(text)) : assert.deepEqual(parseHeredocWord(text) ?? null, expect.heredoc);
  }
  if (expect.error) return throws(() => parse(text));
  const { nodes, escape, warnings } = parse(text);
  if (expect.dump !== undefined) assert.equal(nodes.map(dump).join('\n'), expect.dump);
  if (expect.children) assert.deepEqual(nodes.map(tree), expect.children);
  if (expect.escape) assert.equal(escape, expect.escape);
  if (expect.warnings) assert.deepEqual(warnings.map((warning) => warning.text), expect.warnings);
  if (expect.lines) assert.deepEqual(nodes.map(({ lines }) => [lines.start, lines.end]), expect.lines);
  const node = nodes[input.instruction ?? 1];
  if (expect.cmd) assert.equal(node?.cmd, expect.cmd);
  if (expect.heredocs) assert.deepEqual(node?.heredocs, expect.heredocs);
  if (expect.heredoc_names) assert.deepEqual(node?.heredocs.map(({ name }) => name), expect.heredoc_names);
  if (expect.json !== undefined) assert.deepEqual([node?.json, node?.args], [expect.json, expect.args]);
}

for (const name of ['buildkit-parser', 'buildkit-directives', 'buildkit-heredoc', 'buildkit-json-form']) {
  test(`${name} holds its vectors`, (t) => {
    const cases = readCases(t, `${name}.json`);
    if (cases) runCases(t, cases, holds);
  });
}
