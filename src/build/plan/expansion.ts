/** Expansion of an instruction's words with the variables that were in force before it. Pure. */
import { expandWord, expandWords, type Environment } from '../../dockerfile/expand.ts';
import type { Instruction } from '../../dockerfile/instruction.ts';
import { didYouMean } from '../../dockerfile/suggest.ts';
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
  variables: ReadonlyMap<string, string>;
  /** Variables that nobody defined, each told once. */
  warnings: Warning[];
}

export function expanderOf(state: StageState, instruction: Instruction, scope: Scope): Expander {
  const variables = variablesOf(state);
  const environment: Environment = (name) => variables.get(name);
  const { escape } = scope;
  const told = new Set(state.args.map(({ name }) => name));
  const warnings: Warning[] = [];

  const tell = (unmatched: Iterable<string>): void => {
    for (const name of unmatched) {
      if (told.has(name) || isBuilderOnly(name)) continue;
      told.add(name);
      const text = `Usage of undefined variable '$${name}'${didYouMean(name, variables.keys(), '$')}`;
      warnings.push({ rule: 'UndefinedVar', text, line: instruction.lines.start });
    }
  };

  return {
    variables,
    warnings,
    word(text) {
      const { result, unmatched } = expandWord(text, environment, { escape });
      tell(unmatched);
      return result;
    },
    words: (text) => expandWords(text, environment, { escape }),
    body(text) {
      const { result, unmatched } = expandWord(text, environment, { escape: '\\', quotes: 'literal' });
      tell(unmatched);
      return result;
    },
    display(text, masked) {
      const shown: Environment = (name) => (masked?.has(name) ? '****' : variables.get(name));
      try {
        const parts = text.split(/('[^']*')/); // what stands in single quotes is for the shell
        return parts.map((part, i) => (i % 2 === 1 ? part : expandWord(part, shown, { escape, quotes: 'literal', escapes: 'keep', unset: 'keep' }).result)).join('');
      } catch {
        return text;
      }
    },
  };
}
