/** The warnings of a build: what its checks find and the file wants to hear of, each told once. */
import { SiruError } from '../base/errors.ts';
import type { Context } from '../base/context.ts';
import type { Finding } from '../dockerfile/checks/check.ts';
import { createFilter } from '../dockerfile/checks/filter.ts';
import { checkOptionsFor } from '../dockerfile/checks/options.ts';
import { pageOf, ruleOf } from '../dockerfile/checks/rules.ts';
import type { Dockerfile } from '../dockerfile/instruction.ts';

export interface Warnings {
  warn: (finding: Finding) => void;
  /** Throws DOCKERFILE when the file says that findings are errors and there are some. */
  failIfWanted: () => void;
}

/** Throws DOCKERFILE for check options that make no sense. */
export function createWarnings(context: Pick<Context, 'emit'>, dockerfile: Dockerfile, buildArgs: Readonly<Record<string, string>> = {}): Warnings {
  const options = checkOptionsFor(dockerfile, buildArgs);
  const wanted = createFilter(dockerfile, options);
  // A rule may see the same line in the tree, in the plan and in a stage that others stand on.
  const told = new Set<string>();
  const rules = new Set<string>();
  return {
    warn(finding) {
      const { rule: name, text, line } = finding;
      const key = `${name} ${line} ${text}`;
      if (told.has(key) || !wanted(finding)) return;
      told.add(key);
      const rule = ruleOf(name);
      if (rule) rules.add(name);
      context.emit({ type: 'warning', text: `${name}: ${text}`, ...(line === undefined ? {} : { line }), ...(rule ? { page: pageOf(rule) } : {}) });
    },
    failIfWanted() {
      if (!options.error || rules.size === 0) return;
      const names = [...rules].sort();
      throw new SiruError('DOCKERFILE', `checks failed: ${names.join(', ')}`, {
        hint: `The Dockerfile says # check=error=true: mend what the warnings name, or skip it there: # check=skip=${names.join(',')};error=true`,
      });
    },
  };
}
