/** What whoever looks at a page may do: the access hook is asked, a refusal is no. */
import type { AppContext } from '../context.ts';
import type { Exchange } from '../exchange.ts';
import type { Action } from '../hooks.ts';
import { Refusal } from '../refusal.ts';
import type { Place } from './place.ts';

/** Throws the refusal. */
export async function mustBeAllowed({ access }: AppContext, { user, request }: Exchange, action: Action, place?: Place): Promise<void> {
  await access.allow({
    user, action, request,
    ...(place && { repository: place.repository }),
    ...(place?.tag !== undefined && { tags: [place.tag] }),
    ...(place?.digest !== undefined && { digest: place.digest }),
  });
}

export async function isAllowed(context: AppContext, exchange: Exchange, action: Action, place?: Place): Promise<boolean> {
  try {
    await mustBeAllowed(context, exchange, action, place);
    return true;
  } catch (error) {
    if (error instanceof Refusal) return false;
    throw error;
  }
}

export async function mayDelete(context: AppContext, exchange: Exchange, place: Place): Promise<boolean> {
  return context.settings.deletes && isAllowed(context, exchange, 'delete', place);
}
