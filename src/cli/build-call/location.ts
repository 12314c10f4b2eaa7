/** Places in the Dockerfile as BuildKit's answers in JSON have them: one range for each line. */
import type { Lines } from '../../dockerfile/instruction.ts';

export interface Location {
  ranges: { start: { line: number }; end: { line: number } }[];
}

export function locationOf({ start, end }: Lines): Location {
  const ranges: Location['ranges'] = [];
  for (let line = start; line <= end; line++) ranges.push({ start: { line }, end: { line } });
  return { ranges };
}

/** The text of a source as JSON keeps bytes. */
export function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
