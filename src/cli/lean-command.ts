/** A command that makes only those of its options that the words of a command line may mean. */
import { Command, type Option } from 'commander';
import { camelCase } from './arguments.ts';

/** The others keep their default values. What is given is read as by a whole command; only its errors know less. */
export class LeanCommand extends Command {
  readonly #long = new Set<string>();
  readonly #short = new Set<string>();

  constructor(name: string, words: readonly string[]) {
    super(name);
    for (const word of words) {
      if (word.startsWith('--')) this.#long.add(word.split('=', 1)[0]!);
      else if (word.startsWith('-')) for (const letter of word.slice(1)) this.#short.add(`-${letter}`);
    }
  }

  override option(flags: string, ...rest: unknown[]): this {
    const names = flags.split(/[ ,|]+/).filter((word) => word.startsWith('-'));
    if (names.some((name) => this.#long.has(name) || this.#short.has(name))) return super.option(flags, ...(rest as []));
    const long = names.at(-1)!.replace(/^--/, '');
    // option(flags, description, default) or option(flags, description, read, default)
    const value = typeof rest[1] === 'function' ? rest[2] : rest[1];
    if (value !== undefined) this.setOptionValueWithSource(camelCase(long.replace(/^no-/, '')), value, 'default');
    else if (long.startsWith('no-')) this.#refuseByDefault(camelCase(long.slice(3)));
    return this;
  }

  override addOption(option: Option): this {
    const { long, short, defaultValue, negate } = option;
    if (negate || defaultValue !== undefined || (long && this.#long.has(long)) || (short && this.#short.has(short))) return super.addOption(option);
    return this;
  }

  /** `--no-cache` alone means that `cache` is true; beside a `--cache` it says nothing. */
  #refuseByDefault(name: string): void {
    if (this.getOptionValue(name) === undefined) this.setOptionValueWithSource(name, true, 'default');
  }
}
