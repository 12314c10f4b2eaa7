/** A small SSH agent that lists its keys and signs with them (draft-miller-ssh-agent). */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SiruError, messageOf } from '../../base/errors.ts';
import type { OpenedAgent } from './open-agent.ts';
import type { PrivateKey } from './private-key.ts';
import { createReader, string, uint32 } from './wire.ts';

/** Longest message that is read, in bytes; OpenSSH's limit. */
const maxMessage = 256 * 1024;

const messages = { failure: 5, requestIdentities: 11, identities: 12, signRequest: 13, signature: 14 } as const;

/** Listens in a folder that only this user can enter. */
export async function serveKeys(keys: readonly PrivateKey[]): Promise<OpenedAgent> {
  const folder = mkdtempSync(join(tmpdir(), 'siru-ssh-'));
  const path = join(folder, 'agent');
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => socket.destroy());
    converse(socket, keys);
  });
  const close = (): void => {
    server.close();
    for (const socket of open) socket.destroy();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } catch (error) {
    close();
    throw new SiruError('CONTEXT', `cannot listen at ${path}: ${messageOf(error)}`, { cause: error, hint: 'Is the path of the folder for temporary files (TMPDIR) too long for a socket?' });
  }
  server.unref();
  return { path, [Symbol.dispose]: close };
}

function converse(socket: Socket, keys: readonly PrivateKey[]): void {
  let held = Buffer.alloc(0);
  // A client that asks and does not listen would have all answers kept in memory.
  socket.on('drain', () => socket.resume());
  socket.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk]);
    while (held.length >= 4) {
      const length = held.readUInt32BE();
      if (length > maxMessage) {
        socket.destroy();
        return;
      }
      if (held.length < 4 + length) return;
      if (!socket.write(string(answer(held.subarray(4, 4 + length), keys)))) socket.pause();
      held = held.subarray(4 + length);
    }
  });
}

/** The message that answers a message. */
export function answer(message: Buffer, keys: readonly PrivateKey[]): Buffer {
  const failure = Buffer.of(messages.failure);
  try {
    const reader = createReader(message);
    const type = reader.byte();
    if (type === messages.requestIdentities) {
      return Buffer.concat([Buffer.of(messages.identities), uint32(keys.length), ...keys.flatMap(({ blob, comment }) => [string(blob), string(comment)])]);
    }
    if (type !== messages.signRequest) return failure;
    const wanted = reader.string();
    const data = reader.string();
    const key = keys.find(({ blob }) => blob.equals(wanted));
    return key ? Buffer.concat([Buffer.of(messages.signature), string(key.sign(data, reader.uint32()))]) : failure;
  } catch {
    // What is no message, or what the key cannot sign.
    return failure;
  }
}
