/** What to do so that bytes are not wasted. Pure. */
import type { LayerStep } from './steps.ts';
import type { Waste } from './waste.ts';

/** One or two sentences. */
export function adviceFor(waste: Waste, steps: readonly LayerStep[]): string {
  const writer = steps[waste.layer]!;
  const { cache, kind } = waste;
  if (cache) {
    const mount = `RUN --mount=type=cache,target=${cache.mount} keeps it between builds and out of the image.`;
    if (writer.base) return kind === 'deleted' ? 'The base image brings it; deleting it makes no image smaller.' : 'The base image brings it.';
    if (kind === 'deleted') return `A later step cannot make this layer smaller: delete it in the RUN that writes it. ${mount}`;
    return cache.instead === '' ? mount : `Use ${cache.instead}. ${mount}`;
  }
  const by = steps[waste.by!]!;
  if (writer.base) {
    if (kind === 'attributes') return 'A file whose owner or mode changes is in the image twice: change only the files that need it.';
    return kind === 'deleted' ? 'The base image brings it; deleting it makes no image smaller. A smaller base would.' : 'The base image brings it, and it is written again.';
  }
  switch (kind) {
    case 'deleted':
      if (waste.moved.bytes >= waste.bytes / 2) return movedAdvice(writer, waste.moved.to);
      if (writer.kind === 'run') return 'A later step cannot make this layer smaller: delete it in the RUN that writes it, or write it in a stage of its own and COPY --from what is needed.';
      return writer.kind === 'copy' || writer.kind === 'add'
        ? 'Keep it out of the image: RUN --mount=type=bind reads it without a copy; .dockerignore or --exclude leave it out.'
        : 'Write what is needed only, or in a stage of its own.';
    case 'attributes':
      if (writer.kind === 'copy' || writer.kind === 'add') return `Give owner and mode where the files come in: ${writer.kind.toUpperCase()} --chown=USER:GROUP --chmod=MODE.`;
      return writer.kind === 'run' && by.kind === 'run' ? 'Change owner and mode in the RUN that writes the files.' : 'Give owner and mode where the files are written.';
    case 'repeated':
      return by.kind === 'copy' || by.kind === 'add' ? 'The same files are copied twice: take them out of one of the two steps, or use --exclude.' : 'The step writes the same bytes again: leave those files alone, or do both in one RUN.';
    default:
      return by.kind === 'copy' || by.kind === 'add' ? 'Leave out of the first step what the second one writes.' : 'Write it once: do both in one step, or in a stage of its own.';
  }
}

function movedAdvice(writer: LayerStep, to: string | undefined): string {
  const where = to === undefined ? '' : ` (/${to})`;
  return writer.kind === 'run' ? `It was moved${where}: write it there at once.` : `It was moved${where}: COPY it to where it belongs.`;
}
