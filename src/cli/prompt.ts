/** Questions to the person at the terminal. */
import { addAbortSignal } from 'node:stream';
import { SiruError } from '../base/errors.ts';
import type { Call } from './call.ts';

/** Standard input as a stream that ends with an AbortError when the command is to stop. */
export function standardInput(call: Call): AsyncIterable<Buffer> {
  return addAbortSignal(call.signal, process.stdin) as AsyncIterable<Buffer>;
}

/** All of standard input as text, at most 16 MiB. */
export async function readStandardInput(call: Call): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of standardInput(call)) {
    chunks.push(chunk);
    if ((size += chunk.length) > 1 << 24) throw new SiruError('USAGE', 'standard input is larger than 16 MiB');
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** One line of input; undefined at its end. `secret` shows nothing of what is typed. Throws CANCELLED at Ctrl-C. */
export async function ask(call: Call, question: string, secret = false): Promise<string | undefined> {
  const { createInterface } = await import('node:readline');
  const { Writable } = await import('node:stream');
  call.tell(question);
  const terminal = process.stdin.isTTY === true;
  // readline echoes what is typed to its output; nothing shows when that goes nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: process.stdin, output: secret ? nowhere : call.stderr, terminal: terminal && secret, historySize: 0 });
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      const stop = (): void => reject(new SiruError('CANCELLED', 'cancelled'));
      call.signal.addEventListener('abort', stop, { once: true });
      lines.on('SIGINT', stop).once('line', resolve).once('close', () => resolve(undefined));
    });
  } finally {
    lines.close();
    if (secret) call.tell('\n');
  }
}
