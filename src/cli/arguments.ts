/** Command lines as docker's users type them, made into what commander reads. */
import type { Command, Option } from 'commander';

/** Options that are not the same when they are false as when they are not given, and what then says no. */
const denials: ReadonlyMap<string, string> = new Map([['--locked', '--no-lock']]);

/**
 * Boolean options may have a value (`--rm=true`, `--no-cache=false`), and a short option an equals sign (`-e=A=1`). Reads up
 * to the end of the options: `--`, or the first operand when `passThrough`.
 */
export function plainArguments(command: Command, args: readonly string[], passThrough: boolean): string[] {
  const options = optionsOf(command);
  const out: string[] = [];
  for (let at = 0; at < args.length; at++) {
    const word = args[at]!;
    if (word === '--' || (passThrough && !(word.startsWith('-') && word !== '-'))) return [...out, ...args.slice(at)];
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const option = options.get(name);
    if (!word.startsWith('-') || word === '-') {
      out.push(word);
    } else if (option && equals >= 0 && !option.required && !option.optional) {
      const value = word.slice(equals + 1).toLowerCase();
      if (['true', '1', 't'].includes(value)) out.push(name);
      else if (!['false', '0', 'f'].includes(value)) out.push(word);
      else if (denials.has(name)) out.push(denials.get(name)!);
    } else if (option?.required && equals >= 0 && !name.startsWith('--')) {
      out.push(name, word.slice(equals + 1));
    } else {
      out.push(word);
      // The next word is this option's value, whatever it looks like: also for `-it` bundles that end in one.
      const last = !word.startsWith('--') && equals < 0 ? bundleEnd(options, word) : option;
      if (last?.required && equals < 0 && at + 1 < args.length) out.push(args[++at]!);
    }
  }
  return out;
}

/** The last option of a bundle of short ones when it takes the next word as its value. */
function bundleEnd(options: Map<string, Option>, word: string): Option | undefined {
  for (let at = 1; at < word.length; at++) {
    const option = options.get(`-${word[at]}`);
    if (option?.required) return at === word.length - 1 ? option : undefined;
    if (!option) return undefined;
  }
  return undefined;
}

function optionsOf(command: Command): Map<string, Option> {
  const options = new Map<string, Option>();
  for (const option of command.options) {
    if (option.short) options.set(option.short, option);
    if (option.long) options.set(option.long, option);
  }
  return options;
}

/** Adds to a list: for options that may be given many times. */
export function collect(value: string, before: string[] = []): string[] {
  return [...before, value];
}

/** The value of a comma-separated `key=value,key=value` text; a word without `=` has the value ''. Quotes as in CSV. */
export function parseFields(text: string): Map<string, string> {
  return new Map(fieldList(text).map(([key, value = '']) => [key, value]));
}

/** The same in order; the value of a word without `=` is undefined. */
export function fieldList(text: string): [key: string, value: string | undefined][] {
  const fields: [string, string | undefined][] = [];
  for (const found of text.matchAll(/\s*("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)) {
    const raw = found[1]!;
    const word = raw.startsWith('"') ? raw.slice(1, -1).replaceAll('""', '"') : raw;
    if (word === '') continue;
    const equals = word.indexOf('=');
    fields.push([(equals < 0 ? word : word.slice(0, equals)).trim().toLowerCase(), equals < 0 ? undefined : word.slice(equals + 1)]);
  }
  return fields;
}

/** `K=V` pairs; `K` alone takes the value from the environment, and is left out when it has none there. */
export function pairs(list: readonly string[], environment?: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const out: Record<string, string> = {};
  for (const text of list) {
    const equals = text.indexOf('=');
    if (equals >= 0) out[text.slice(0, equals)] = text.slice(equals + 1);
    else if (!environment) out[text] = '';
    else if (environment[text] !== undefined) out[text] = environment[text];
  }
  return out;
}

/** The name under which commander keeps an option: `read-only` is `readOnly`. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}

/** Adds an option that the help does not show. */
export function hiddenOption(command: Command, flags: string, ...rest: [description?: string, read?: (value: string) => unknown]): void {
  const before = command.options.length;
  command.option(flags, ...(rest as [string]));
  if (command.options.length > before) command.options.at(-1)!.hideHelp();
}
