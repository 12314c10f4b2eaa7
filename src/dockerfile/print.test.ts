/** A tree that is printed and parsed is the tree again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../base/errors.ts';
import { readCases, runCases } from '../oci/vectors.suite.ts';
import type { CommandLine, Dockerfile, Heredoc, Instruction } from './instruction.ts';
import { parseDockerfile } from './parse.ts';
import { printDockerfile, printInstruction } from './print.suite.ts';

type Loose<T> = T extends unknown ? Omit<T, 'lines' | 'source' | 'comments'> : never;

/** Without what depends on how the text is laid out. */
function bare(tree: Pick<Dockerfile, 'globalArgs' | 'stages' | 'escape'>): unknown {
  return JSON.parse(JSON.stringify({ globalArgs: tree.globalArgs, stages: tree.stages, escape: tree.escape }, (key, value: unknown) => (['lines', 'source', 'comments', 'doc', 'expression'].includes(key) ? undefined : value)));
}

const text = (form: RegExp): fc.Arbitrary<string> => fc.stringMatching(form);
const name = text(/^[A-Za-z_][A-Za-z0-9_.-]{0,6}$/);
const word = text(/^[A-Za-z0-9/$.:*?{}=@,-]{1,8}$/).filter((one) => !one.startsWith('--'));
/** As they stand in the file: quotes are closed, and a space is quoted. */
const quoted = fc.oneof(word, word.map((one) => `"${one} x"`), word.map((one) => `'${one}\t"'`), fc.constantFrom('""', 'ü日😀'));
const anything = fc.string({ unit: fc.constantFrom('a', 'B', '0', ' ', '"', "'", '\\', ',', '=', '$', 'ü', '😀', '\t', '-'), minLength: 1, maxLength: 8 });
const trimmed = (arbitrary: fc.Arbitrary<string>): fc.Arbitrary<string> => arbitrary.map((one) => one.trim()).filter((one) => one !== '' && !/[\\`]$/.test(one));
const line = trimmed(fc.string({ unit: fc.constantFrom('a', ' ', '"', "'", '\\', '&', '|', '$', '(', ')', '#', 'ü', '-', ';', '`'), minLength: 1, maxLength: 14 })).filter((one) => !one.startsWith('[') && !one.startsWith('#'));
const strings = fc.array(fc.string({ unit: 'grapheme', maxLength: 6 }).map((one) => one.toWellFormed()), { maxLength: 3 });
const optional = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(arbitrary, { nil: undefined });

const heredoc: fc.Arbitrary<Heredoc> = fc.record({
  name: text(/^[A-Z]{1,4}END$/),
  content: fc.array(text(/^[a-z $"'\\#]{0,8}$/)).map((lines) => lines.map((one) => `${one}\n`).join('')),
  expand: fc.boolean(), chomp: fc.boolean(), fd: fc.constantFrom(0, 0, 3),
});
const heredocs = fc.oneof({ weight: 3, arbitrary: fc.constant<Heredoc[]>([]) }, { weight: 1, arbitrary: fc.array(heredoc, { minLength: 1, maxLength: 2 }) });
const exec: fc.Arbitrary<CommandLine> = strings.map((args) => ({ form: 'exec', args }));
const shell: fc.Arbitrary<CommandLine> = line.map((one) => ({ form: 'shell', text: one, heredocs: [] }));
const command = fc.oneof(exec, shell);
const runCommand = fc.oneof(exec.filter((one) => one.form === 'exec' && one.args.length > 0), shell, fc.tuple(word, heredocs).map(([one, list]): CommandLine => ({
  form: 'shell',
  text: [one, ...list.map(({ fd, name: end, expand, chomp }) => `${fd || ''}<<${chomp ? '-' : ''}${expand ? end : `'${end}'`}`)].join(' '),
  heredocs: list,
})));
const mount = fc.array(fc.tuple(fc.constantFrom('source', 'target', 'id'), anything).map(([key, value]) => ({ key, value })), { minLength: 1, maxLength: 3 });
const copyCommon = { chown: optional(anything), chmod: optional(anything), link: fc.boolean(), exclude: fc.array(anything, { maxLength: 2 }) };
const files = fc.oneof(
  fc.record({ sources: fc.array(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 3 }), heredocs: fc.constant<Heredoc[]>([]), destination: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 5 }) }),
  fc.record({ sources: fc.array(word, { maxLength: 2 }), heredocs: fc.uniqueArray(heredoc, { minLength: 1, maxLength: 2, selector: ({ name }) => name }), destination: word }),
);
const time = optional(fc.integer({ min: 1_000_000, max: 10_000_000_000 }));

const kinds: fc.Arbitrary<Loose<Instruction>>[] = [
  fc.record({ kind: fc.constant('arg' as const), args: fc.array(fc.record({ name, value: optional(quoted) }), { minLength: 1, maxLength: 3 }) }),
  fc.record({ kind: fc.constantFrom('env' as const, 'label' as const), pairs: fc.array(fc.record({ key: name, value: quoted }), { minLength: 1, maxLength: 3 }) }),
  fc.record({ kind: fc.constantFrom('env' as const, 'label' as const), pairs: fc.tuple(fc.record({ key: name, value: line, legacy: fc.constant(true) })) }),
  fc.record({ kind: fc.constant('run' as const), command: runCommand, mounts: fc.array(mount, { maxLength: 2 }), network: optional(fc.constantFrom('none', 'host')), security: optional(fc.constant('insecure')), devices: fc.array(anything, { maxLength: 1 }) }),
  fc.record({ kind: fc.constant('copy' as const), from: optional(anything), parents: fc.boolean(), ...copyCommon, files }).map(({ files: given, ...rest }) => ({ ...rest, ...given })),
  fc.record({ kind: fc.constant('add' as const), checksum: optional(anything), unpack: optional(fc.boolean()), keepGitDir: optional(fc.boolean()), ...copyCommon, files }).map(({ files: given, ...rest }) => ({ ...rest, ...given })),
  fc.record({ kind: fc.constant('workdir' as const), path: line }),
  fc.record({ kind: fc.constant('user' as const), user: line }),
  fc.record({ kind: fc.constant('stopsignal' as const), signal: line }),
  fc.record({ kind: fc.constant('maintainer' as const), author: line }),
  fc.record({ kind: fc.constant('expose' as const), ports: fc.array(word, { minLength: 1, maxLength: 3 }) }),
  fc.record({ kind: fc.constant('volume' as const), volumes: fc.array(trimmed(anything), { minLength: 1, maxLength: 3 }) }),
  fc.record({ kind: fc.constant('shell' as const), args: strings.filter((list) => list.length > 0) }),
  fc.record({ kind: fc.constantFrom('cmd' as const, 'entrypoint' as const), command }),
  fc.record({ kind: fc.constant('healthcheck' as const), command: fc.oneof(exec.filter((one) => one.form === 'exec' && one.args.length > 0), shell), interval: time, timeout: time, startPeriod: time, startInterval: time, retries: optional(fc.nat(9)) }),
  fc.constant({ kind: 'healthcheck' as const }),
];
const instruction = fc.oneof(...kinds).chain((one): fc.Arbitrary<Loose<Instruction>> =>
  one.kind === 'maintainer' ? fc.constant(one) : fc.constantFrom<Loose<Instruction>>(one, one, one, one, { kind: 'onbuild', expression: '', instruction: one as Instruction }));
const from = fc.record({ kind: fc.constant('from' as const), image: word, name: optional(text(/^[a-z][a-z0-9_.-]{0,5}$/)), platform: optional(anything) });
const tree = fc.record({
  escape: fc.constantFrom('\\' as const, '`' as const),
  globalArgs: fc.array(kinds[0]!, { maxLength: 2 }),
  stages: fc.array(fc.tuple(from, fc.array(instruction, { maxLength: 4 })), { minLength: 1, maxLength: 3 }).map((list) =>
    list.map(([{ name: stage, ...head }, instructions], index) => ({ from: { ...head, name: stage }, index, name: stage, instructions })),
  ),
}) as unknown as fc.Arbitrary<Dockerfile>;

test('a random tree, printed and parsed, is itself', () => {
  fc.assert(fc.property(tree, (one) => {
    const printed = printDockerfile(one);
    let again: Dockerfile;
    try {
      again = parseDockerfile(printed);
    } catch (error) {
      if (!isSiruError(error)) throw error;
      assert.fail(`${error.message}\n${printed}`);
    }
    assert.deepEqual(bare(again), bare(one), printed);
  }), { numRuns: 500 });
});

test('real files, printed and parsed, are what they were', (t) => {
  const cases = readCases(t, 'buildkit-parser.json');
  if (!cases) return;
  const whole = cases.filter(({ input }) => {
    try {
      return parseDockerfile(input.text).stages.length > 0;
    } catch {
      return false;
    }
  });
  assert.ok(whole.length > 20);
  runCases(t, whole, ({ input }) => {
    const one = parseDockerfile(input.text);
    assert.deepEqual(bare(parseDockerfile(printDockerfile(one))), bare(one));
  });
});

test('what ONBUILD keeps parses to the instruction that it stands for', () => {
  fc.assert(fc.property(fc.oneof(...kinds).filter(({ kind }) => kind !== 'maintainer'), (one) => {
    const { stages: [stage] } = parseDockerfile(`FROM a\nONBUILD ${printInstruction(one as Instruction)}\n`);
    const kept = stage!.instructions[0]!;
    assert.ok(kept.kind === 'onbuild' && kept.instruction);
    const { stages: [again] } = parseDockerfile(`FROM a\n${kept.expression}\n`);
    assert.deepEqual(bare({ globalArgs: [], escape: '\\', stages: [again!] }), bare({ globalArgs: [], escape: '\\', stages: [{ ...stage!, instructions: [kept.instruction] }] }));
  }));
});
