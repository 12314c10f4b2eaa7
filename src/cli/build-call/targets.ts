/** Answers to `--call targets`: BuildKit's table and its JSON. */
import type { TargetList } from '../../build/call/targets.ts';
import { base64, locationOf } from './location.ts';
import { table } from './table.ts';

export function targetsText({ targets }: TargetList): string {
  const rows = targets.map(({ name, default: chosen, description }) => [[name, chosen && '(default)'].filter(Boolean).join(' '), description ?? '']);
  return table(['TARGET', 'DESCRIPTION'], rows, 1);
}

export function targetsJson({ targets, source }: TargetList): object {
  return { targets: targets.map(({ lines, ...target }) => ({ ...target, location: locationOf(lines) })), sources: [base64(source.text)] };
}
