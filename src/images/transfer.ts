/** Progress of one transfer as events, often enough to be seen and seldom enough to cost nothing. */
import type { Context } from '../base/context.ts';
import type { Event } from '../base/events.ts';

type TransferEvent = Extract<Event, { type: 'transfer' }>;

export interface Transfer {
  state(state: TransferEvent['state']): void;
  /** Adds bytes that were moved. */
  add(bytes: number): void;
  /** Counts what passes, from an offset on when not from the start. */
  count(chunks: AsyncIterable<Uint8Array>, offset?: number): AsyncGenerator<Uint8Array>;
}

const interval = 100;

export function startTransfer(context: Context, direction: TransferEvent['direction'], what: string, total?: number): Transfer {
  let bytes = 0;
  let told = 0;
  const emit = (state: TransferEvent['state']): void => {
    const event: TransferEvent = { type: 'transfer', direction, what, state, bytes };
    if (total !== undefined) event.total = total;
    context.emit(event);
  };
  const add = (more: number): void => {
    bytes += more;
    const now = Date.now();
    if (now - told < interval) return;
    told = now;
    emit('moving');
  };
  return {
    state: emit,
    add,
    async *count(chunks, offset = 0) {
      bytes = offset;
      for await (const chunk of chunks) {
        add(chunk.length);
        yield chunk;
      }
    },
  };
}
