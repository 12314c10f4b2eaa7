/** `GET /v2/`: whether this is a registry, and whether the credentials are taken. */
import type { AppContext } from '../context.ts';
import { answerBytes } from '../exchange.ts';
import type { Exchange } from '../exchange.ts';
import { onlyMethods } from './methods.ts';

const nothing = Buffer.from('{}');

export async function answerBase({ access }: AppContext, exchange: Exchange): Promise<void> {
  onlyMethods(exchange, ['GET', 'HEAD']);
  await access.allow({ user: exchange.user, action: 'ping', request: exchange.request });
  answerBytes(exchange, 200, nothing, { 'content-type': 'application/json' });
}
