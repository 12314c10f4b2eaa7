/**
 * Messages over a socket: each is one line of JSON; when its member `bytes` is a number, that many raw bytes follow it.
 * Output of processes goes as raw bytes, so that a gigabyte of it costs no JSON.
 */
import type { Socket } from 'node:net';

export interface Channel<In, Out> {
  /** False when the other side is slow to read: send no more until `onDrain` tells. */
  send(message: Out, payload?: Uint8Array): boolean;
  onDrain(listener: () => void): void;
  onMessage(listener: (message: In, payload: Buffer | undefined) => void): void;
  end(): void;
}

export function createChannel<In, Out>(socket: Socket): Channel<In, Out> {
  const drained = new Set<() => void>();
  socket.on('drain', () => {
    const listeners = [...drained];
    drained.clear();
    for (const listener of listeners) listener();
  });
  // The end of the other side is told by 'close'.
  socket.on('error', () => {});
  return {
    send(message, payload) {
      if (!socket.writable) return true;
      if (!payload) return socket.write(`${JSON.stringify(message)}\n`);
      socket.cork();
      socket.write(`${JSON.stringify({ ...message, bytes: payload.length })}\n`);
      const ready = socket.write(payload);
      socket.uncork();
      return ready;
    },
    onDrain(listener) {
      drained.add(listener);
    },
    onMessage(listener) {
      socket.on('data', createParser(listener));
    },
    end() {
      socket.end();
    },
  };
}

/** Takes chunks as they come and gives whole messages. */
export function createParser<In>(listener: (message: In, payload: Buffer | undefined) => void): (chunk: Buffer) => void {
  let pieces: Buffer[] = [];
  let size = 0;
  let waiting: { message: In; bytes: number } | undefined;

  const take = (): Buffer => {
    const whole = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces, size);
    pieces = [];
    size = 0;
    return whole;
  };
  return (chunk) => {
    // Joined only when a line or payload is complete, so that a long one does not cost its length at every chunk.
    pieces.push(chunk);
    size += chunk.length;
    if (waiting ? size < waiting.bytes : !chunk.includes(10)) return;
    let buffer = take();
    for (;;) {
      if (waiting) {
        if (buffer.length < waiting.bytes) break;
        const { message, bytes } = waiting;
        waiting = undefined;
        const payload = buffer.subarray(0, bytes);
        buffer = buffer.subarray(bytes);
        listener(message, payload);
        continue;
      }
      const end = buffer.indexOf(10);
      if (end < 0) break;
      const message = JSON.parse(buffer.toString('utf8', 0, end)) as In & { bytes?: number };
      buffer = buffer.subarray(end + 1);
      if (typeof message.bytes === 'number') waiting = { message, bytes: message.bytes };
      else listener(message, undefined);
    }
    if (buffer.length > 0) {
      pieces.push(buffer);
      size = buffer.length;
    }
  };
}
