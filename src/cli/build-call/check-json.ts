/** What checks found, for programs: BuildKit's lint result. Its `definition` of a source is left out: there is no such thing here. */
import { messageOf } from '../../base/errors.ts';
import type { CheckResult } from '../../build/call/check.ts';
import { DockerfileError } from '../../dockerfile/errors.ts';
import { base64, locationOf } from './location.ts';

export function checkJson({ warnings, source, error }: CheckResult): object {
  return {
    warnings: warnings.map(({ rule, text, lines, page }) => ({ ruleName: rule.name, description: rule.description, url: page, detail: text, location: locationOf(lines) })),
    sources: [{ filename: source.name, data: base64(source.text), language: 'Dockerfile' }],
    ...(error === undefined ? {} : { buildError: buildError(error) }),
  };
}

function buildError(error: Error): object {
  const lines = error instanceof DockerfileError ? error.lines : undefined;
  // The excerpt is for people; the place says the same.
  return { message: messageOf(error).split('\n\n', 1)[0]!, ...(lines ? { location: locationOf(lines) } : {}) };
}
