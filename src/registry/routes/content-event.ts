/** Events of content, with what every one of them tells. */
import type { Exchange } from '../exchange.ts';
import type { ContentEvent } from '../hooks.ts';

type About = Pick<ContentEvent, 'type' | 'kind' | 'repository' | 'digest'> & Partial<Pick<ContentEvent, 'tags' | 'bytes'>>;

export function contentEvent({ id, user }: Exchange, about: About): ContentEvent {
  return { tags: [], bytes: 0, ...about, user: user?.name, id, at: Date.now() };
}
