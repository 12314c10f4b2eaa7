/**
 * That a form was sent by a page of this registry, and by the page that the user saw: browsers send a user's password along
 * with the forms of any other site too.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What the browser says of the page that sent the form; false when it says nothing. */
export function isSameOrigin({ headers }: IncomingMessage): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  const from = headers.origin ?? headers.referer;
  if (from === undefined || headers.host === undefined) return false;
  // A proxy before the registry may speak another scheme than it; the host is what browsers and it agree on.
  try {
    return new URL(from).host === new URL(`${new URL(from).protocol}//${headers.host}`).host;
  } catch {
    return false;
  }
}

const cookie = 'siru-form';

export interface FormToken {
  /** Stands in the form. */
  token: string;
  /** Sent with the page; no other site can read or set it. */
  setCookie: string;
}

export function newFormToken({ socket }: IncomingMessage): FormToken {
  const token = randomBytes(32).toString('base64url');
  return { token, setCookie: `${cookie}=${token}; Path=/delete/; Max-Age=3600; HttpOnly; SameSite=Strict${'encrypted' in socket ? '; Secure' : ''}` };
}

/** True when the form has the token of a cookie. */
export function isFormToken({ headers }: IncomingMessage, token: string): boolean {
  const sent = (headers.cookie ?? '').split(';').map((pair) => pair.trim()).filter((pair) => pair.startsWith(`${cookie}=`)).map((pair) => Buffer.from(pair.slice(cookie.length + 1)));
  const wanted = Buffer.from(token);
  return token.length >= 43 && sent.some((one) => one.length === wanted.length && timingSafeEqual(one, wanted));
}
