/** Modes that differ because files were written under another umask. Pure. */
import type { StepChange } from '../../store/store.ts';

/** Umasks that people have. */
const usual = [0o022, 0o002, 0o077, 0o027, 0o007, 0];

/** The sentence, when all changes are of modes and one pair of umasks explains them. */
export function umaskNote(changes: readonly StepChange[]): string | undefined {
  const modes = changes.filter(({ what }) => what === 'mode');
  if (modes.length === 0 || modes.length < changes.length) return undefined;
  // Bits that a umask took away, and that it did not; a bit that the owner lacks as well tells nothing.
  const taken: [lost: number, kept: number][] = [[0, 0], [0, 0]];
  for (const { before, after } of modes) {
    for (const [side, text] of [before, after].entries()) {
      const mode = Number.parseInt(text ?? '', 8);
      const owner = (mode >> 6) & 7;
      const whole = owner * 0o11;
      if ((mode & 0o77 & ~whole) !== 0) return undefined;
      taken[side]![0] |= whole & ~mode;
      taken[side]![1] |= whole & mode & 0o77;
    }
    const [old, now] = [Number.parseInt(before!, 8), Number.parseInt(after!, 8)];
    if ((old & ~0o77) !== (now & ~0o77)) return undefined;
  }
  const [before, after] = taken.map(([lost, kept]) => usual.find((umask) => (lost & ~umask) === 0 && (kept & umask) === 0));
  if (before === undefined || after === undefined || before === after) return undefined;
  const shown = (umask: number): string => umask.toString(8).padStart(4, '0');
  return `modes differ as umask ${shown(before)} and umask ${shown(after)} make them: COPY --chmod would say them in the Dockerfile`;
}
