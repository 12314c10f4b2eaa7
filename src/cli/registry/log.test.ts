import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestEvent } from '../../registry/hooks.ts';
import { createLog } from './log.ts';

const event: RequestEvent = {
  type: 'request', id: 'abc', at: 0, method: 'GET', path: '/v2/app/manifests/1.0', route: 'manifest', repository: 'app', status: 200, broken: false,
  user: 'ann', remote: '127.0.0.1', agent: 'x', bytesIn: 0, bytesOut: 500, milliseconds: 1.26, error: undefined,
};

function linesOf(form: 'json' | 'text' | 'none', events: Partial<RequestEvent>[], slow?: number): string[] {
  const lines: string[] = [];
  const log = createLog({ form, slow, write: (line) => lines.push(line) });
  for (const one of events) log.event({ ...event, ...one });
  return lines;
}

test('a request is one line, with its id, whatever stands in it', () => {
  assert.deepEqual(linesOf('text', [{}]), ['1970-01-01T00:00:00.000Z 127.0.0.1 ann GET /v2/app/manifests/1.0 200 1.3ms in=0 out=500 abc\n']);
  for (const form of ['text', 'json'] as const) {
    const [line] = linesOf(form, [{ path: '/a\nb\x1b[2J\u202e', agent: 'y'.repeat(5000), error: new Error('two\nlines') }]);
    assert.match(line!, /^[ -~]+\n$/);
    assert.ok(line!.length < 1000);
  }
  const { time, level, message, id, agent } = JSON.parse(linesOf('json', [{}])[0]!) as Record<string, string>;
  assert.deepEqual({ time, level, message, id, agent }, { time: '1970-01-01T00:00:00.000Z', level: 'info', message: 'request', id: 'abc', agent: 'x' });
  assert.deepEqual(linesOf('none', [{}]), []);
});

test('faults are errors, refusals for want of something and slow requests warnings', () => {
  const levels = linesOf('json', [{ status: 404 }, { status: 503 }, { status: 500, error: new Error('x') }, { milliseconds: 6000 }, { milliseconds: 6000, bytesIn: 2_000_000 }], 5000)
    .map((line) => JSON.parse(line) as { level: string; message: string });
  assert.deepEqual(levels.map(({ level, message }) => [level, message]), [['info', 'request'], ['warn', 'request'], ['error', 'request'], ['warn', 'slow request'], ['info', 'request']]);
  assert.match(linesOf('text', [{ milliseconds: 60_000 }])[0]!, / abc slow\n$/);
});
