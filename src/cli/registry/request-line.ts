/** A line of the log for a request that was answered. */
import { messageOf } from '../../base/errors.ts';
import type { RequestEvent } from '../../registry/hooks.ts';
import { harmlessLine } from '../../base/harmless-line.ts';

export function requestLine(event: RequestEvent, json: boolean): string {
  const { at, error, type: _type, milliseconds, ...rest } = event;
  const time = new Date(at).toISOString();
  const took = Number(milliseconds.toFixed(1));
  if (json) return `${JSON.stringify({ time, ...rest, milliseconds: took, ...(error !== undefined && { error: messageOf(error) }) })}\n`;
  const { method, path, status, broken, user, remote, bytesIn, bytesOut, id } = event;
  const words = [time, remote ?? '-', user ?? '-', method, path, status, `${took}ms`, `in=${bytesIn}`, `out=${bytesOut}`, id];
  if (broken) words.push('broken');
  if (error !== undefined) words.push(`error: ${messageOf(error)}`);
  return `${harmlessLine(words.join(' '))}\n`;
}
