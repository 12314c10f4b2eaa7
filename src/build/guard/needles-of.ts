/**
 * What is looked for of a secret: its value as it is, in the forms that tools write it in, and the parts of a value of several
 * lines that can only have come from it. Pure. docs/secrets.md tells users the same.
 */
import { shortestNeedle } from '../../base/search.ts';
import { isSensitiveName } from '../../dockerfile/checks/secrets-used-in-arg-or-env.ts';

/** A value that is shorter must be of two kinds of characters: `production` and `20240101` are no secrets. */
export const shortestWord = 16;
/** Different bytes that a value must have. */
const fewestBytes = 5;
/** A value of one line that is longer is looked for by its parts. */
const longestWhole = 1024;
/** Most tokens of one secret, and most that are looked for in other forms too. */
export const mostTokens = 64;
const mostInForms = 8;
/** Lines that are looked at for values with a name. */
const mostLines = 1000;
/** Longest part of an encoded value: what encodes may break lines after 64 characters. */
const longestEncoded = 60;

/** All that is looked for; nothing for a value that may stand anywhere, such as `1` or `production`. */
export function needlesOf(value: Uint8Array): Uint8Array[] {
  const text = textOf(value);
  if (text === undefined) return isTelling(value) ? allForms(value.length > longestWhole ? middle(value) : value) : [];
  const secret = withoutPublicParts(text);
  const whole = Buffer.from(secret === '' ? '' : text.trim());
  const parts = new Set(assignedIn(secret));
  if (/[\r\n]/.test(secret) || whole.length > longestWhole) for (const token of tokensIn(secret)) parts.add(token);
  const some = [...parts].slice(0, mostTokens).map((part) => Buffer.from(part));
  return [...(whole.length <= longestWhole && isTelling(whole) ? allForms(whole) : []), ...some.flatMap((part, i) => (i < mostInForms ? allForms(part) : [part]))];
}

/** True for a value that is not likely to stand somewhere by itself. */
function isTelling(value: Uint8Array): boolean {
  if (value.length < shortestNeedle || new Set(value).size < fewestBytes) return false;
  const kinds = [/[a-z]/, /[A-Z]/, /[0-9]/, /[^a-zA-Z0-9]/].filter((kind) => kind.test(Buffer.from(value).toString('latin1')));
  return value.length >= shortestWord || kinds.length > 1;
}

function textOf(value: Uint8Array): string | undefined {
  if (value.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(value);
  } catch {
    return undefined;
  }
}

/** The first bytes of a file may say what kind it is and nothing else. */
function middle(value: Uint8Array): Uint8Array {
  const start = (value.length >> 1) - 32;
  return value.subarray(start, start + 64);
}

/** Certificates and public keys are nobody's secret, and neither is what stands around a key. */
function withoutPublicParts(text: string): string {
  return text
    .replace(/-----BEGIN (?:[A-Z0-9 ]*CERTIFICATE[A-Z0-9 ]*|[A-Z0-9 ]*PUBLIC KEY)-----[^-]*-----END [A-Z0-9 ]+-----/g, '')
    .replace(/-----(?:BEGIN|END) [A-Z0-9 ]+-----/g, '')
    .trim();
}

/** The values of lines such as `API_TOKEN=...` and `password: ...`. */
function assignedIn(text: string): string[] {
  return text.split(/[\r\n]+/, mostLines).flatMap((line) => {
    const found = line.length > longestWhole ? null : /^[\s/{]*(?:export\s+)?["']?([\w.:/-]+?)["']?\s*[=:]\s*(\S.*)$/.exec(line);
    const value = found?.[2]!.replace(/[\s,}]+$/, '').replace(/^(["'])(.*)\1$/, '$2') ?? '';
    return found && isSensitiveName(found[1]!.replace(/^.*[.:/-]_?|([a-z])(?=[A-Z])/g, (part, lower?: string) => (lower ? `${part}_` : ''))) && isTelling(Buffer.from(value)) ? [value] : [];
  });
}

/** Runs of letters and digits that no word, address or path would make. */
function tokensIn(text: string): string[] {
  const tokens = new Set<string>();
  for (const [run] of text.matchAll(/[A-Za-z0-9+/_.~-]{20,4096}={0,2}/g)) {
    if (isToken(run)) tokens.add(run);
    if (tokens.size === mostTokens) break;
  }
  return [...tokens];
}

function isToken(run: string): boolean {
  if (!/[0-9]/.test(run) || !/[A-Za-z]/.test(run)) return false;
  // Names of hosts and files have as many different letters, and dots and slashes between.
  return entropy(run) >= (/[./]/.test(run) ? 4.2 : 3.2);
}

/** Bits for each character, after Shannon. */
function entropy(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** The value, and how it looks in base64 (wherever it begins in what is encoded), in hexadecimal digits, in a URL and in JSON. */
function allForms(value: Uint8Array): Uint8Array[] {
  const forms = new Set<string>();
  for (const shift of [0, 1, 2]) {
    const encoded = Buffer.concat([Buffer.alloc(shift), value]).toString('base64');
    // Characters that other bytes have a part in are left out.
    const own = encoded.slice(Math.ceil((shift * 8) / 6), Math.floor(((shift + value.length) * 8) / 6)).slice(0, longestEncoded);
    forms.add(own).add(own.replace(/\+/g, '-').replace(/\//g, '_'));
  }
  const hex = Buffer.from(value).toString('hex').slice(0, longestEncoded);
  forms.add(hex).add(hex.toUpperCase());
  const text = textOf(value);
  if (text !== undefined) {
    const escaped = encodeURIComponent(text);
    forms.add(escaped).add(escaped.replace(/%../g, (code) => code.toLowerCase())).add(JSON.stringify(text).slice(1, -1));
    forms.delete(text);
  }
  return [value, ...[...forms].map((form) => Buffer.from(form)).filter(({ length }) => length >= shortestNeedle)];
}
