/** WORKDIR: the directory of what follows, made when it is not there. */
import type { InstructionOf } from '../../dockerfile/instruction.ts';
import type { StageState } from '../step-plan.ts';
import { withConfig, type Change } from './change.ts';
import type { Expander, Warning } from './expansion.ts';
import { emptyEntry, layerEntry } from './history.ts';
import { cleanPath, nextWorkdir, processDirectory } from './paths.ts';
import { configured, slashed, workdirOf } from './windows-paths.ts';

export function planWorkdir(state: StageState, instruction: InstructionOf<'workdir'>, expander: Expander): Change {
  const written = expander.word(instruction.path);
  const { os } = state.platform;
  const named = slashed(written, os);
  const path = nextWorkdir(workdirOf(state), os === 'windows' && named !== '' ? cleanPath(named) : named);
  const warnings: Warning[] = [];
  if (!state.workdirSet && !named.startsWith('/')) {
    const text = `Relative workdir ${JSON.stringify(written)} can have unexpected results if the base image changes`;
    warnings.push({ rule: 'WorkdirRelativePath', text, line: instruction.lines.start });
  }
  const next = { ...withConfig(state, { WorkingDir: configured(path, os) }), workdirSet: true };
  const told = `WORKDIR ${path}`;
  if (path === '/') return { state: next, history: emptyEntry(told), warnings };
  return {
    state: next,
    step: { kind: 'workdir', path: processDirectory(path), user: state.config.User ?? '' },
    history: layerEntry(told),
    warnings,
  };
}
