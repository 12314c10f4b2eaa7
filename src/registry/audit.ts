/**
 * The audit log: a line of JSON for each change of content, each refusal, each token, and, when asked for, each pull. It has
 * who, what, with what result, from where; no query, no header and no body, so that nothing secret is in it.
 */
import { appendFile } from 'node:fs/promises';
import { firstQuestion } from './access/challenge.ts';
import type { ContentEvent, EventSink, RequestEvent, ServerEvent } from './hooks.ts';

export interface AuditOptions {
  /** Takes whole lines. */
  write: (lines: string) => void | Promise<void>;
  pulls: boolean;
}

export interface Audit extends AsyncDisposable {
  sink: EventSink;
}

/** Requests whose content events wait for their end. */
const mostOpen = 100_000;
/** Milliseconds that lines are gathered. */
const gatherTime = 50;

/** A file that lines are added to; one that was moved away is made anew. Readable for its owner only. */
export function auditFile(path: string, onError: (error: unknown) => void): (lines: string) => Promise<void> {
  return (lines) => appendFile(path, lines, { mode: 0o600 }).catch(onError);
}

export function createAudit({ write, pulls }: AuditOptions): Audit {
  const open = new Map<string, ContentEvent[]>();
  let lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let written: Promise<void> = Promise.resolve();

  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const text = lines.join('');
    lines = [];
    if (text !== '') written = written.then(() => write(text));
  };
  const add = (entry: Record<string, unknown>): void => {
    lines.push(`${JSON.stringify(entry)}\n`);
    timer ??= setTimeout(flush, gatherTime);
  };
  const note = (request: RequestEvent, about: Record<string, unknown>, result: string): void => {
    const { at, user, remote, id, status, agent } = request;
    add({ time: new Date(at).toISOString(), user: user ?? null, ...about, result, status, address: remote ?? null, agent: agent?.slice(0, 200) ?? null, request: id });
  };
  const whole = (request: RequestEvent): void => {
    const events = open.get(request.id) ?? [];
    open.delete(request.id);
    for (const { type, kind, repository, tags, digest, bytes } of events) {
      if (type === 'pull' && !pulls) continue;
      note(request, { action: type, kind, repository, tags, digest: digest ?? null, bytes }, request.broken ? 'broken' : 'done');
    }
    if (events.length > 0) return;
    const { status, repository, method, route, path } = request;
    const refused = status === 401 || status === 403 || status === 429;
    if (refused && request.refusal !== firstQuestion) note(request, { action: `${method} ${route}`, repository: repository ?? null, path: path.slice(0, 1000), why: request.refusal ?? null }, 'refused');
    else if (route === 'token' && status === 200) note(request, { action: 'token' }, 'done');
  };
  /** What a collection or retention did: there is no request. */
  const ofServer = ({ at, user, type, kind, repository, tags, digest, bytes }: ContentEvent): void =>
    add({ time: new Date(at).toISOString(), user: null, action: type, kind, repository, tags, digest: digest ?? null, bytes, result: 'done', by: user ?? null });
  return {
    sink(event: ServerEvent) {
      if (event.type === 'request') return whole(event);
      if (event.id === '') return ofServer(event);
      if (open.size >= mostOpen) return;
      const known = open.get(event.id);
      if (known) known.push(event);
      else open.set(event.id, [event]);
    },
    async [Symbol.asyncDispose]() {
      flush();
      await written;
    },
  };
}
