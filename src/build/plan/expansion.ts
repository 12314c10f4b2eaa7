/** Expansion of an instruction's words with the variables that were in force before it. Pure. */
import { expandWord, expandWords, type Environment } from '../../dockerfile/expand.ts';
import type { Instruction } from '../../dockerfile/instruction.ts';
import { didYouMean, mostOptions } from '../../dockerfile/suggest.ts';
import type { Advance, StageState } from '../step-plan.ts';
import type { Scope } from './scope.ts';
import { isBuilderOnly, variablesOf } from './variables.ts';

export type Warning = Advance['warnings'][number];

export interface Expander {
  /** One word to one word. Throws DOCKERFILE. */
  word(text: string): string;
  /** One word to any number of words, split again after expansion. */
  words(text: string): string[];
  /** The body of a heredoc: quotes are left alone. */
  body(text: string): string;
  /** For people: what has a value is expanded, all else stays as it is written. Never throws. */
  display(text: string, masked?: ReadonlySet<string>): string;
  readonly variables: ReadonlyMap<string, string>;
  /** What all of that cost so far; see work.ts. */
  work(): number;
  /** Variables that nobody defined, each told once. */
  warnings: Warning[];
}

export function expanderOf(state: StageState, instruction: Instruction, scope: Scope): Expander {
  // Most instructions have no variables in them.
  let known: ReadonlyMap<string, string> | undefined;
  const variables = (): ReadonlyMap<string, string> => (known ??= variablesOf(state));
  const environment: Environment = (name) => variables().get(name);
  let work = 0;
  const onWork = (units: number): void => void (work += units);
  const { escape } = scope;
  let told: Set<string> | undefined;
  const warnings: Warning[] = [];

  const tell = (unmatched: Iterable<string>): void => {
    for (const name of unmatched) {
      told ??= new Set(state.args.map((argument) => argument.name));
      if (told.has(name) || isBuilderOnly(name)) continue;
      told.add(name);
      work += Math.min(variables().size, mostOptions) * name.length;
      const text = `Usage of undefined variable '$${name}'${didYouMean(name, variables().keys(), '$')}`;
      warnings.push({ rule: 'UndefinedVar', text, line: instruction.lines.start });
    }
  };

  return {
    get variables() {
      return variables();
    },
    work: () => work,
    warnings,
    word(text) {
      const { result, unmatched } = expandWord(text, environment, { escape, onWork });
      tell(unmatched);
      return result;
    },
    words: (text) => expandWords(text, environment, { escape, onWork }),
    body(text) {
      const { result, unmatched } = expandWord(text, environment, { escape: '\\', quotes: 'literal', onWork });
      tell(unmatched);
      return result;
    },
    display(text, masked) {
      const shown: Environment = (name) => (masked?.has(name) ? '****' : variables().get(name));
      try {
        const parts = text.split(/('[^']*')/); // what stands in single quotes is for the shell
        return parts.map((part, i) => (i % 2 === 1 ? part : expandWord(part, shown, { escape, quotes: 'literal', escapes: 'keep', unset: 'keep', onWork }).result)).join('');
      } catch {
        return text;
      }
    },
  };
}
