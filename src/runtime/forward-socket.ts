/** A socket in a container behind which a socket of the host stands: an SSH agent. */
import { chmodSync, chownSync, closeSync, openSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { basename, dirname } from 'node:path';

export interface ForwardedSocket {
  /** Absolute path on the host. */
  source: string;
  mode: number;
  uid: number;
  gid: number;
}

/**
 * Listens at `path` and passes each connection on; the result ends it. The owner and the mode are those that are asked for,
 * and the host's socket, which only this process opens, keeps its own.
 */
export function forwardSocket(path: string, { source, mode, uid, gid }: ForwardedSocket): () => void {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ path: source, allowHalfOpen: true });
    for (const [one, other] of [[near, far], [far, near]] as const) {
      open.add(one);
      // What goes wrong on one side ends the other: the client sees an agent that went away.
      one.on('error', () => other.destroy());
      one.on('close', () => {
        open.delete(one);
        other.end();
      });
      one.pipe(other);
    }
  });
  // The address of a socket has room for a hundred letters; by way of its folder's descriptor it always fits.
  const folder = openSync(dirname(path), 'r');
  server.listen(`/proc/self/fd/${folder}/${basename(path)}`);
  server.on('error', () => {});
  chownSync(path, uid, gid);
  chmodSync(path, mode);
  return () => {
    // Closing removes the socket, by the name that it was given.
    server.close();
    closeSync(folder);
    for (const socket of open) socket.destroy();
  };
}
