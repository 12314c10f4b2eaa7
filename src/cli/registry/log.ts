/**
 * The log of a registry: one line for each request, and one for each thing that happens beside them. As JSON every line has
 * `time`, `level` (info, warn or error) and `message`; a request's has its id, which the client got as `x-request-id`.
 */
import { messageOf } from '../../base/errors.ts';
import { harmlessLine } from '../../base/harmless-line.ts';
import type { RequestEvent, ServerEvent } from '../../registry/hooks.ts';
import { harmlessJson } from '../sanitize.ts';

export interface LogOptions {
  /** text when not given. Without a log what goes wrong is written all the same. */
  form?: 'text' | 'json' | 'none' | undefined;
  /** Milliseconds. */
  slow?: number | undefined;
  write: (line: string) => void;
}

export interface Log {
  event: (event: ServerEvent) => void;
  error: (error: unknown) => void;
  /** What happens to the server itself; the facts are for JSON alone. */
  note: (text: string, facts?: object) => void;
}

type Level = 'info' | 'warn' | 'error';

const defaultSlow = 10_000;
/** Bytes for which a request may take a second more. */
const slowestBytes = 1_000_000;
const longestAgent = 200;

export function createLog({ form = 'text', slow = defaultSlow, write }: LogOptions): Log {
  const json = (at: number, level: Level, message: string, facts: object): void => write(`${harmlessJson(JSON.stringify({ time: new Date(at).toISOString(), level, message, ...facts }))}\n`);
  return {
    event(event) {
      if (form === 'none' || event.type !== 'request') return;
      const isSlow = event.milliseconds > slow + ((event.bytesIn + event.bytesOut) / slowestBytes) * 1000;
      const level = event.error !== undefined ? 'error' : isSlow || event.status >= 500 ? 'warn' : 'info';
      if (form === 'json') json(event.at, level, isSlow ? 'slow request' : 'request', factsOf(event));
      else write(`${textLine(event, isSlow)}\n`);
    },
    error(error) {
      if (form === 'json') json(Date.now(), 'error', messageOf(error), {});
      else write(`siru registry: ${harmlessLine(messageOf(error))}\n`);
    },
    note(text, facts = {}) {
      if (form === 'json') json(Date.now(), 'info', text, facts);
      else if (text !== 'listening') write(`siru registry: ${text}\n`);
    },
  };
}

function factsOf({ type: _type, at: _at, error, milliseconds, agent, ...rest }: RequestEvent): object {
  return { ...rest, agent: agent?.slice(0, longestAgent), milliseconds: rounded(milliseconds), ...(error !== undefined && { error: messageOf(error) }) };
}

function textLine({ at, method, path, status, broken, user, remote, bytesIn, bytesOut, milliseconds, id, error }: RequestEvent, isSlow: boolean): string {
  const words = [new Date(at).toISOString(), remote ?? '-', user ?? '-', method, path, status, `${rounded(milliseconds)}ms`, `in=${bytesIn}`, `out=${bytesOut}`, id];
  if (broken) words.push('broken');
  if (isSlow) words.push('slow');
  if (error !== undefined) words.push(`error: ${messageOf(error)}`);
  return harmlessLine(words.join(' '));
}

function rounded(milliseconds: number): number {
  return Number(milliseconds.toFixed(1));
}
