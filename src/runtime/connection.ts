/** Calls to the helper process: each gets an answer, or an error when the helper is gone. */
import { SiruError, type ErrorCode } from '../base/errors.ts';
import type { Calls, FromHelper, PlainError, Request } from './messages.ts';
import { startHelper, type Helper } from './start-helper.ts';

interface Pending {
  resolve: (result: unknown) => void;
  reject: (error: unknown) => void;
  onOutput?: (stream: 'stdout' | 'stderr', bytes: Buffer) => void;
}

export interface Connection {
  helper: Helper;
  pending: Map<number, Pending>;
  next: number;
  /** Why no calls can be made any more. */
  gone?: Error;
  onWarning: (text: string) => void;
  /** Ends the helper, and with it all processes and mounts of its; resolves when they are gone. */
  close(): Promise<void>;
}

/** Starts a helper. Throws HelperFailure. */
export async function connect(nested: boolean): Promise<Connection> {
  const helper = await startHelper(nested);
  const { child, socket } = helper;
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const connection: Connection = {
    helper,
    pending: new Map(),
    next: 0,
    onWarning: () => {},
    async close() {
      connection.gone ??= new SiruError('RUNTIME', 'the helper process was closed');
      child.ref();
      socket.destroy();
      await ended;
      failAll(connection);
    },
  };
  helper.listener = (message, payload) => receive(connection, message, payload);
  void ended.then(() => {
    connection.gone ??= new SiruError('RUNTIME', 'the helper process ended without a word', {
      hint: 'It was killed, perhaps for want of memory. Run again.',
    });
    failAll(connection);
  });
  rest(connection);
  return connection;
}

function failAll({ pending, gone }: Connection): void {
  for (const { reject } of pending.values()) reject(gone);
  pending.clear();
}

/** A helper with nothing to do does not keep this process alive. */
function rest({ helper, pending }: Connection): void {
  if (pending.size > 0) {
    helper.child.ref();
    helper.socket.ref();
  } else {
    helper.child.unref();
    helper.socket.unref();
  }
}

export interface CallOptions {
  signal?: AbortSignal;
  onOutput?: Pending['onOutput'];
}

/** Throws what the helper threw; CANCELLED when the signal fired and the call was given up. */
export async function callHelper<Name extends keyof Calls>(
  connection: Connection,
  name: Name,
  params: Calls[Name][0],
  options: CallOptions = {},
): Promise<Calls[Name][1]> {
  const { signal, onOutput } = options;
  if (connection.gone) throw connection.gone;
  if (signal?.aborted) throw new SiruError('CANCELLED', 'cancelled', { cause: signal.reason });
  const call = connection.next++;
  const { channel } = connection.helper;
  const cancel = (): void => void channel.send({ cancel: call });
  signal?.addEventListener('abort', cancel);
  try {
    const result = await new Promise<unknown>((resolve, reject) => {
      connection.pending.set(call, { resolve, reject, onOutput });
      rest(connection);
      channel.send({ call, name, params } as Request);
    });
    return result as Calls[Name][1];
  } finally {
    signal?.removeEventListener('abort', cancel);
    connection.pending.delete(call);
    if (!connection.gone) rest(connection);
  }
}

function receive(connection: Connection, message: FromHelper, payload: Buffer | undefined): void {
  if ('output' in message) connection.pending.get(message.output)?.onOutput?.(message.stream, payload!);
  else if ('warning' in message) connection.onWarning(message.warning);
  else if ('reply' in message) {
    const waiting = connection.pending.get(message.reply);
    if ('error' in message) waiting?.reject(revive(message.error));
    else waiting?.resolve(message.result);
  }
}

function revive({ code, message, hint }: PlainError): Error {
  if (code === 'INTERNAL') return new Error(message);
  if (/^E[A-Z0-9]+$/.test(code)) return Object.assign(new Error(message), { code });
  return new SiruError(code as ErrorCode, message, { hint });
}
