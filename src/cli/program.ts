/** The tree of commands. Only the module of the command that was asked for is loaded. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, Help, Option } from 'commander';
import { contextOf } from '../base/context.ts';
import { SiruError, isSiruError } from '../base/errors.ts';
import type { Store } from '../store/store.ts';
import { plainArguments } from './arguments.ts';
import type { Call } from './call.ts';
import { commands, groups, headings, quietWords } from './command-table.ts';
import type { CommandModule } from './command-table.ts';
import { errorText } from './errors.ts';
import { LeanCommand } from './lean-command.ts';
import { version } from '../base/version.ts';
import { harmlessText } from './sanitize.ts';
import { watchSignals } from './signals.ts';
import type { Signals } from './signals.ts';

interface GlobalFlags {
  root?: string;
  debug?: boolean;
  config?: string;
}

/** Carries the command line out; gives the exit code. */
export async function runProgram(given: readonly string[]): Promise<number> {
  const chosen = chosenPath(given);
  const module = await moduleOf(chosen);
  const dashes = module?.takesCommand ? given.indexOf('--', chosen.end) : -1;
  const argv = dashes < 0 ? given : given.slice(0, dashes);
  const rest = dashes < 0 ? [] : given.slice(dashes + 1);
  let result = 0;
  let debug = argv.includes('--debug') || argv.includes('-D');
  using signals = watchSignals();
  const act: Act = async (program, command, path) => {
    const flags: GlobalFlags = { ...program.opts<GlobalFlags>(), ...defined(command.opts<GlobalFlags>()) };
    // A command's own option of this name means a file of another kind.
    if (command.options.some(({ long, hidden }) => long === '--config' && !hidden)) flags.config = program.opts<GlobalFlags>().config;
    debug = flags.debug ?? false;
    let opening: Promise<Store> | undefined;
    try {
      const call = makeCall(path, rest, flags, signals, (readonly) => (opening ??= openStore(flags.root, readonly)));
      result = (await module!.run(call, command.args, command.opts() as never)) ?? 0;
    } finally {
      await (await opening?.catch(() => undefined))?.close({ ending: true });
    }
  };
  const parse = async (program: Command): Promise<void> => {
    const target = chosen.command && findCommand(program, chosen.words);
    const words = target ? plainArguments(target, argv.slice(chosen.end), module?.passThrough === true) : argv.slice(chosen.end);
    await program.parseAsync([...argv.slice(0, chosen.end), ...words], { from: 'user' });
  };
  try {
    if (isPlainCall(chosen, argv)) {
      try {
        await parse(makeProgram(chosen, module, act, argv));
        return signals.exitCode() ?? result;
      } catch (error) {
        // The whole program knows what the words could have meant.
        if (!(error instanceof CommanderError)) throw error;
      }
    }
    const program = makeProgram(chosen, module, act);
    if (chosen.words.length === 0 && !argv.some((word) => word.startsWith('-') && word !== '-D' && word !== '--debug')) {
      program.outputHelp();
      return 0;
    }
    if (chosen.group && chosen.words.length === 1 && argv.at(-1) === chosen.group) {
      program.commands.find((command) => command.name() === chosen.group)!.outputHelp();
      return 0;
    }
    await parse(program);
    return signals.exitCode() ?? result;
  } catch (error) {
    const failure = module?.failure ?? 1;
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      process.stderr.write(errorText(usageError(error, chosen.words), debug));
      return failure;
    }
    const stopped = signals.exitCode();
    const cancelled = isSiruError(error) ? error.code === 'CANCELLED' : (error as Error | undefined)?.name === 'AbortError';
    if (stopped === undefined || !cancelled || debug) process.stderr.write(errorText(error, debug));
    return stopped ?? (cancelled ? 130 : failure);
  }
}

interface Chosen {
  /** The words that name the command, as typed. */
  words: string[];
  group?: string;
  /** Key of the command table. */
  command?: string;
  /** Index in argv of what follows the words. */
  end: number;
}

/** Finds the command without commander, which would need all of them. */
export function chosenPath(argv: readonly string[]): Chosen {
  const operand = (from: number): number => {
    let at = from;
    while (at < argv.length && argv[at]!.startsWith('-')) at += argv[at] === '--root' || argv[at] === '--config' ? 2 : 1;
    return at;
  };
  let at = operand(0);
  let first = argv[at];
  const isHelp = first === 'help';
  if (isHelp) first = argv[(at = at + 1)];
  if (first === undefined) return { words: [], end: argv.length };
  const group = Object.hasOwn(groups, first) ? first : undefined;
  const end = isHelp ? argv.length : at + 1;
  if (!group) return { words: [first], end, ...(Object.hasOwn(commands, first) ? { command: first } : {}) };
  const second = argv[at + 1];
  const members = groups[group]!.commands;
  if (second === undefined || !Object.hasOwn(members, second)) return { words: [group], group, end };
  return { words: [group, second], group, command: members[second]!, end: isHelp ? argv.length : at + 2 };
}

async function moduleOf({ command }: Chosen): Promise<CommandModule | undefined> {
  return command === undefined ? undefined : await commands[command]!.load();
}

type Act = (program: Command, command: Command, path: string[]) => Promise<void>;

/** A command that asks for no help: it needs itself alone, and the options that its words name. */
function isPlainCall({ command, end }: Chosen, argv: readonly string[]): boolean {
  return command !== undefined && !argv.some((word, at) => word === '--help' || /^-[^-]*h/.test(word) || (at < end && /^(help$|--version$|-[^-]*v)/.test(word)));
}

/** With `words` it has only the chosen command, with the options that these may mean: making all takes longer than parsing. */
function makeProgram(chosen: Chosen, module: CommandModule | undefined, act: Act, words?: readonly string[]): Command {
  const program = new Command('siru');
  program
    .description('Builds, keeps, runs, pulls and pushes container images, with no daemon')
    .usage('[OPTIONS] COMMAND')
    .version(`siru version ${version()}`, '-v, --version', 'Show the version')
    .enablePositionalOptions()
    .helpOption('-h, --help', 'Show this help')
    .helpCommand('help [COMMAND]', 'Show the help of a command')
    .configureOutput({ writeErr: () => {}, writeOut: (text) => process.stdout.write(text) })
    .exitOverride()
    // Of lists commander would say that they are empty when not given.
    .configureHelp({ optionDescription: (option) => (Array.isArray(option.defaultValue) ? option.description : new Help().optionDescription(option)) })
    .addHelpText('after', '\nExamples:\n  siru build -t app:1.0 .\n  siru run --rm app:1.0\n  siru push app:1.0\n\n\'siru COMMAND --help\' tells more of a command.');
  for (const option of globalOptions()) program.addOption(option);
  if (words) {
    const [first, second] = chosen.words;
    const parent = second === undefined ? program : program.command(first!);
    const lean = new LeanCommand(second ?? first!, words);
    parent.addCommand(lean.copyInheritedSettings(parent));
    configureCommand(program, lean, chosen.words, module!, act);
    return program;
  }
  for (const [heading, names] of headings) {
    program.commandsGroup(`${heading}:`);
    for (const name of names) addCommand(program, program, name, name, [name]);
  }
  program.commandsGroup('Groups:');
  for (const [name, { summary, commands: members, hidden }] of Object.entries(groups)) {
    const group = program.command(name, { hidden }).description(summary).usage('COMMAND').helpCommand(false);
    for (const [word, key] of Object.entries(members)) addCommand(program, group, word, key, [name, word]);
  }
  return program;

  function addCommand(root: Command, parent: Command, word: string, key: string, path: string[]): void {
    const command = parent.command(word, { hidden: quietWords.has(word) }).description(commands[key]!.summary);
    if (module && chosen.command === key && path.join(' ') === chosen.words.join(' ')) configureCommand(root, command, path, module, act);
  }
}

function configureCommand(program: Command, command: Command, path: string[], module: CommandModule, act: Act): void {
  module.configure(command, path);
  for (const option of globalOptions()) {
    const taken = command.options.some(({ long, short }) => long === option.long || (short !== undefined && short === option.short));
    if (!taken) command.addOption(option.hideHelp());
  }
  if (module.passThrough) command.passThroughOptions();
  command.action(() => act(program, command, path));
}

function globalOptions(): Option[] {
  return [
    new Option('--root <folder>', 'Where the store is (also SIRU_ROOT)'),
    new Option('--config <path>', "Siru's configuration file, or a folder with docker's config.json"),
    new Option('-D, --debug', 'Show where errors come from'),
  ];
}

/** Commands as people may look for them: for completion. */
export async function wholeProgram(): Promise<Command> {
  const program = makeProgram({ words: [], end: 0 }, undefined, async () => {});
  const fill = async (command: Command, key: string, path: string[]): Promise<void> => (await commands[key]!.load()).configure(command, path);
  for (const command of program.commands) {
    const name = command.name();
    if (Object.hasOwn(commands, name)) await fill(command, name, [name]);
    for (const member of command.commands) await fill(member, groups[name]!.commands[member.name()]!, [name, member.name()]);
  }
  return program;
}

function findCommand(program: Command, words: readonly string[]): Command {
  return words.reduce((at, word) => at.commands.find((command) => command.name() === word)!, program);
}

function makeCall(path: string[], rest: string[], flags: GlobalFlags, { signal, pause, accept }: Signals, store: (readonly?: boolean) => Promise<Store>): Call {
  const call: Call = {
    path,
    rest,
    debug: flags.debug ?? false,
    registries: {},
    environment: process.env,
    signal,
    pauseSignals: pause,
    acceptSignal: accept,
    stdout: process.stdout,
    stderr: process.stderr,
    print: printerTo(process.stdout),
    tell: printerTo(process.stderr),
    store,
    storeToRead: () => store(true),
    wholeProgram,
    context: (emit) => contextOf({ signal, onEvent: emit }),
  };
  if (flags.config !== undefined) {
    const folder = statSync(flags.config, { throwIfNoEntry: false })?.isDirectory() ?? !flags.config.endsWith('.json');
    if (folder) call.registries.dockerConfig = join(flags.config, 'config.json');
    else process.env.SIRU_CONFIG = flags.config; // the program's own environment: every room reads the file by this name
  }
  return call;
}

/** Files and pipes get text as it is; a terminal, which could take it for commands, does not. */
function printerTo(stream: NodeJS.WriteStream): (text: string) => void {
  return (text) => void stream.write(stream.isTTY ? harmlessText(text) : text);
}

async function openStore(root: string | undefined, readonly = false): Promise<Store> {
  const { openStore: open } = await import('../store/open-store.ts');
  return open({ root, readonly });
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as Partial<T>;
}

/** commander's complaint in the form of all errors. */
function usageError(error: CommanderError, words: readonly string[]): SiruError {
  const text = error.message.replace(/^error: /, '');
  const suggestion = /\n\(Did you mean (?:one of )?([^?]+)\?\)/.exec(text);
  const where = ['siru', ...words, '--help'].join(' ');
  const known = error.code !== 'commander.unknownCommand';
  return new SiruError('USAGE', text.replace(/\n\(Did you mean[^]*$/, ''), {
    hint: suggestion ? `did you mean ${suggestion[1]}?` : `see ${known ? where : 'siru --help'}`,
  });
}
