import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Command } from 'commander';
import fc from 'fast-check';
import { plainArguments } from './arguments.ts';
import { commands } from './command-table.ts';
import { LeanCommand } from './lean-command.ts';

interface Read {
  options: unknown;
  operands: string[];
}

function read(command: Command, words: string[], passThrough: boolean): Read | string {
  command.exitOverride().configureOutput({ writeErr: () => {} }).helpOption(false).action(() => {});
  if (passThrough) command.enablePositionalOptions().passThroughOptions();
  try {
    command.parse(plainArguments(command, words, passThrough), { from: 'user' });
    return { options: command.opts(), operands: command.args };
  } catch {
    return 'refused';
  }
}

for (const [name, { load }] of Object.entries(commands)) {
  test(`${name} reads its words as a whole command does`, async () => {
    const module = await load();
    const whole = (): Command => {
      const command = new Command(name);
      module.configure(command, [name]);
      return command;
    };
    const flags = whole().options.flatMap(({ long, short }) => [long, short].filter((flag) => flag !== undefined && flag !== null));
    const value = fc.constantFrom('a', 'a=b', '1', 'true', '-', 'x,y', '-q', '--no-such');
    const word = flags.length === 0 ? value : fc.oneof(
      fc.constantFrom(...flags),
      fc.tuple(fc.constantFrom(...flags), value).map(([flag, text]) => `${flag}=${text}`),
      fc.tuple(fc.constantFrom(...flags), value).map(([flag, text]) => `${flag}${text}`),
      value,
    );
    fc.assert(fc.property(fc.array(word, { maxLength: 6 }), (words) => {
      const lean = new LeanCommand(name, words);
      module.configure(lean, [name]);
      assert.deepEqual(read(lean, words, module.passThrough === true), read(whole(), words, module.passThrough === true));
    }), { numRuns: 200 });
  });
}
