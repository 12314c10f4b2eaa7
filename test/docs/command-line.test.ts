/** docs/command-line.md has every command with its usage and its flags, and no flag that does not exist. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ignoredFlags, refusedFlags } from '../../src/cli/build-flags.ts';
import { commands } from '../../src/cli/command-table.ts';
import { wholeProgram } from '../../src/cli/program.ts';
import { refusedRunFlags } from '../../src/cli/run-flags.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/command-line.md'), 'utf8');
const sections = new Map(page.split(/^## /m).slice(1).map((text) => [text.slice(0, text.indexOf('\n')), text]));
const program = await wholeProgram();

/** Flags that a section names in its table, as written: `-t, --tag <name>`. */
const flagsOf = (section: string): string[] => [...section.matchAll(/^\| `(-(?:[^`]|\\\|)+)` \|/gm)].map(([, flag]) => flag!.replaceAll('\\|', '|'));
/** Long names that stand in the text of a section, outside of its table. */
const mentioned = (section: string): string[] => [...section.replace(/^\|.*$/gm, '').matchAll(/`(--[a-z-]+)`/g)].map(([, flag]) => flag!);
const longNames = (flags: readonly string[]): string[] => flags.map((flag) => /--[a-z-]+/.exec(flag)![0]);

for (const name of Object.keys(commands)) {
  test(`siru ${name} is documented as its help says`, () => {
    const section = sections.get(name);
    assert.ok(section, `docs/command-line.md has no section ## ${name}`);
    const command = name.split(' ').reduce((at, word) => at.commands.find((one) => one.name() === word)!, program);
    const usage = command.usage().replace('[options]', '').trim();
    assert.ok(section.includes(`\n    siru ${name}${usage === '' ? '' : ` ${usage}`}\n`), `it has the usage: siru ${name} ${usage}`);
    const flags = command.createHelp().visibleOptions(command).filter(({ long }) => long !== '--help').map((option) => option.flags);
    assert.deepEqual(flagsOf(section), flags);
  });
}

test('the flags that every command has are documented', () => {
  const flags = program.createHelp().visibleOptions(program).map((option) => option.flags);
  assert.deepEqual(flagsOf(page.slice(0, page.indexOf('\n## '))).toSorted(), flags.toSorted());
});

test('the flags that are accepted or refused are named', () => {
  const build = mentioned(sections.get('build')!);
  for (const flag of longNames([...ignoredFlags, ...refusedFlags.map(([flag]) => flag)])) assert.ok(build.includes(flag), `build: ${flag}`);
  const run = mentioned(sections.get('run')!);
  for (const flag of longNames(refusedRunFlags.map(([flag]) => flag))) assert.ok(run.includes(flag), `run: ${flag}`);
});
