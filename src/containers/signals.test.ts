import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forwardSignals, signalNumber } from './signals.ts';

for (const [text, number] of [['SIGTERM', 15], ['term', 15], ['9', 9], ['SIGQUIT', 3], ['SIGRTMIN', 34], ['RTMIN+3', 37], ['SIGRTMAX-1', 63]] as const) {
  test(`the signal ${text}`, { skip: process.platform === 'win32' && 'signals of Unix' }, () => assert.equal(signalNumber(text), number));
}

test('what is no signal is refused', () => {
  for (const text of ['', 'SIGNOPE', '0', '65', 'SIGRTMIN+40']) assert.throws(() => signalNumber(text), { code: 'USAGE' }, text);
});

test('signals are passed on until the third request to end, and listeners go', async () => {
  const seen: unknown[] = [];
  const before = process.listenerCount('SIGINT');
  const control = { id: 'x', kill: async (signal: unknown) => void seen.push(signal), resize: async () => void seen.push('resize') };
  {
    using _forwarding = forwardSignals(control, () => seen.push('gave up'));
    for (const signal of ['SIGINT', 'SIGUSR1', 'SIGTERM', 'SIGINT', 'SIGWINCH'] as const) process.emit(signal);
  }
  assert.deepEqual(seen, ['SIGINT', 'SIGUSR1', 'SIGTERM', 'gave up', 'resize']);
  assert.equal(process.listenerCount('SIGINT'), before);
});
