/** Which language a file is in: `# syntax=` and BUILDKIT_SYNTAX may name another one than Dockerfile's. Pure. */
import { DockerfileError, type SourceText } from '../dockerfile/errors.ts';
import { detectSyntax } from '../dockerfile/directives.ts';
import { parseReference } from '../oci/reference.ts';
import { SiruError } from '../base/errors.ts';

/** Directives stand in the first lines; more of a file is not looked at. */
const maxLooked = 65_536;

/** Last part of the names under which the Dockerfile's own frontend is published, at whatever registry. */
const own = /(?:^|\/)dockerfile(?:-upstream)?$/;

/**
 * Throws DOCKERFILE when the file, or the build argument that wins over it, names another frontend. The Dockerfile's own is
 * taken as the language that is built in, whatever its version.
 */
export function refuseOtherFrontend(file: { text: Uint8Array | string; name: string }, buildArgs: Readonly<Record<string, string>> = {}): void {
  const hint = 'Siru has one language, that of docker/dockerfile, and executes no frontend. If the file is written in it, remove the line or set --build-arg BUILDKIT_SYNTAX=docker/dockerfile:1.';
  const asked = buildArgs.BUILDKIT_SYNTAX;
  if (asked !== undefined && asked !== '') {
    const ref = asked.split(' ')[0]!;
    if (ref !== 'dockerfile.v0' && !isOwn(ref)) throw new SiruError('DOCKERFILE', `the frontend ${ref.slice(0, 200)} of BUILDKIT_SYNTAX is not available`, { hint });
    return;
  }
  const start = file.text.slice(0, maxLooked);
  const source: SourceText = { name: file.name, text: typeof start === 'string' ? start : Buffer.from(start).toString('utf8') };
  const syntax = detectSyntax(source.text);
  if (!syntax || isOwn(syntax.ref)) return;
  const lines = syntax.line > 0 ? { start: syntax.line, end: syntax.line } : undefined;
  throw new DockerfileError(source, lines, `the frontend ${syntax.ref.slice(0, 200)} is not available`, { hint });
}

function isOwn(ref: string): boolean {
  try {
    return own.test(parseReference(ref).path);
  } catch {
    return false;
  }
}
