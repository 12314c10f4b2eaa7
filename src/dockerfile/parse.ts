/** From the text of a Dockerfile to its stages. */
import { DockerfileError, fault, parsePrefix, withPlace, type SourceText } from './errors.ts';
import type { Dockerfile, DockerfileStage } from './instruction.ts';
import { parseNode } from './parse-instruction.ts';
import { parseLines } from './parse-lines.ts';

/** Larger files are refused; no Dockerfile that a person or a generator wrote comes near. */
export const maxDockerfileBytes: number = 16 * 1024 * 1024;
/** Most stages of a file. */
export const maxStages = 1000;

/**
 * Parses a Dockerfile. Nothing is expanded. `name` is how errors call the file. Throws DockerfileError with the place and
 * an excerpt.
 */
export function parseDockerfile(text: string | Uint8Array, name = 'Dockerfile'): Dockerfile {
  if (text.length > maxDockerfileBytes) throw new DockerfileError({ name, text: '' }, undefined, `${name} is larger than the ${maxDockerfileBytes} bytes that a Dockerfile may have`);
  const source: SourceText = { name, text: decode(text, name) };
  const { nodes, escape, directives, warnings } = parseLines(source);
  const globalArgs: Dockerfile['globalArgs'] = [];
  const stages: DockerfileStage[] = [];
  for (const node of nodes) {
    try {
      const instruction = parseNode(node);
      const stage = stages.at(-1);
      if (instruction.kind === 'from') {
        const next: DockerfileStage = { from: instruction, index: stages.length, instructions: [] };
        if (instruction.name !== undefined) next.name = instruction.name;
        if (stages.length === maxStages) throw fault(`the file has more than ${maxStages} stages`, 'Split it into several Dockerfiles.');
        stages.push(next);
      } else if (stage) stage.instructions.push(instruction);
      else if (instruction.kind === 'arg') globalArgs.push(instruction);
      else throw fault('no build stage in current context', `Only ARG may stand before the first FROM; move ${node.keyword} below it.`);
    } catch (error) {
      throw withPlace(error, source, node.lines, parsePrefix(node.lines));
    }
  }
  if (stages.length === 0) throw new DockerfileError(source, undefined, `${name} contains no stages to build`, { hint: 'It needs at least one FROM.' });
  return { name, globalArgs, stages, escape, directives, warnings, text: source.text };
}

function decode(text: string | Uint8Array, name: string): string {
  if (typeof text === 'string') return text;
  const [first, second] = text;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw new DockerfileError({ name, text: '' }, undefined, `${name} is encoded as UTF-16`, { hint: 'Save it as UTF-8.' });
  }
  return Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8');
}
