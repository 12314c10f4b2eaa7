/** Methods that a path does not take. */
import type { Exchange } from '../exchange.ts';
import { Refusal } from '../refusal.ts';

/** Throws UNSUPPORTED (405) for a method that is not among these. */
export function onlyMethods(exchange: Exchange, methods: readonly string[]): void {
  if (!methods.includes(exchange.method)) throw wrongMethod(exchange, methods);
}

export function wrongMethod(exchange: Exchange, methods: readonly string[]): Refusal {
  return new Refusal('UNSUPPORTED', `${exchange.method} is not possible here`, { headers: { allow: methods.join(', ') } });
}
