/** A process in a step of a build of the history, as one call of the library. */
import type { ShellOptions as StepOptions, ShellResult } from './build/shell/shell.ts';

export interface ShellOptions extends Omit<StepOptions, 'build' | 'step'> {
  /** ID of a build or how it begins, a name that it gave, or its context; the last build of the present directory when not given. */
  build?: string;
  /** Number, `stage/position`, `:line`, or how the instruction begins; the step that failed, else the last, when not given. */
  step?: string;
}

/**
 * Runs `args`, or the step's shell, with the files, environment, user and mounts of the step, and waits for its end. What it
 * writes is lost, but for cache mounts. Throws NOT_FOUND, AMBIGUOUS, RUNTIME.
 */
export async function shell({ build, step, ...options }: ShellOptions): Promise<ShellResult> {
  const { findBuild } = await import('./build/history/find-build.ts');
  const { chooseStep } = await import('./build/shell/choose-step.ts');
  const { openShell } = await import('./build/shell/shell.ts');
  const entry = findBuild(options.store.builds, build, process.cwd());
  return openShell({ ...options, build: entry, step: chooseStep(entry, step) });
}
