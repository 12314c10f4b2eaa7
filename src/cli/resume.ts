/** `siru build --resume`: the last failed build of a context again, with the flags that it had. Secrets are not remembered. */
import { realpathSync } from 'node:fs';
import { resolve } from 'node:path';
import { SiruError } from '../base/errors.ts';
import { isSensitiveName } from '../dockerfile/checks/secrets-used-in-arg-or-env.ts';
import type { BuildFlags } from './build-flags.ts';
import type { Store } from '../store/store.ts';

interface Remembered {
  context: string;
  /** The directory that relative paths start from. */
  cwd: string;
  flags: Partial<BuildFlags>;
  /** Flags whose values were not kept, as they begin: `--secret id=token`. */
  left: string[];
}

/** What concerns one call alone; a build that goes on where it stopped uses the cache. */
const notRepeated = new Set(['resume', 'cache', 'cacheFilter', 'progress', 'quiet', 'check', 'call', 'format', 'secret', 'failOnMiss']);

/** What the history keeps of the flags: no values of secrets, and no address with a password; nothing at all when that is the context's. */
export function remember(context: string, flags: BuildFlags, cwd: string): Remembered | undefined {
  if (hasPassword(context)) return undefined;
  const left = flags.secret.map((text) => `--secret id=${/(?:^|,)\s*id=([^,]*)/.exec(text)?.[1] ?? text.split(',')[0]}`);
  const kept: Partial<BuildFlags> = {};
  for (const [name, value] of Object.entries(flags)) {
    if (notRepeated.has(name) || value === undefined) continue;
    if (!Array.isArray(value)) {
      if (typeof value !== 'string' || !hasPassword(value)) kept[name] = value;
      else left.push(`--${dashed(name)}`);
      continue;
    }
    const words = (value as unknown[]).filter((text) => {
      if (typeof text !== 'string') return true;
      const variable = /^([^=]*)=/.exec(text)?.[1];
      const secret = hasPassword(text) || (name === 'buildArg' && variable !== undefined && isSensitiveName(variable));
      if (secret) left.push(`--${dashed(name)}${variable === undefined ? '' : ` ${variable}`}`);
      return !secret;
    });
    if (words.length > 0) kept[name] = words;
  }
  return { context, cwd, flags: kept, left };
}

/** The flags of the last build of this context that did not end well, under those that are given now. Throws NOT_FOUND, USAGE. */
export function resumed(store: Store, operand: string | undefined, given: BuildFlags, cwd: string): { context: string; flags: BuildFlags } {
  const directory = realPath(resolve(cwd, operand ?? '.'));
  const last = store.builds.list({ directory, limit: 1000 }).find(({ outcome, call }) => outcome !== 'done' && call !== undefined);
  const call = last?.call as Remembered | undefined;
  if (!call) throw new SiruError('NOT_FOUND', `no build of ${operand ?? 'this directory'} failed: there is nothing to resume`, { hint: 'siru builds lists the builds; --resume takes the directory of one that failed' });
  if (realPath(call.cwd) !== realPath(cwd)) throw new SiruError('USAGE', `--resume: that build was called in ${call.cwd}, where its paths start from`, { hint: `cd ${call.cwd}` });
  const again = (begin: string): boolean => Object.values(given).some((value) => Array.isArray(value) && value.some((text) => typeof text === 'string' && isSame(begin, text)));
  const missing = call.left.filter((begin) => !again(begin));
  if (missing.length > 0) throw new SiruError('USAGE', `--resume: not remembered, and so to be given again: ${missing.join(', ')}`, { hint: 'Secrets are not kept in the history.' });
  const flags: BuildFlags = { ...given };
  for (const [name, value] of Object.entries(call.flags)) {
    const now = given[name];
    if (Array.isArray(value)) flags[name] = [...(value as unknown[]), ...(Array.isArray(now) ? (now as unknown[]) : [])];
    // Flags that begin with --no have a value when they were not given.
    else if (now === undefined || (name === 'lock' && value === false && given.locked === undefined)) flags[name] = value;
  }
  return { context: call.context, flags };
}

/** `--secret id=token` and `id=token,env=TOKEN`; `--build-arg TOKEN` and `TOKEN=x` or `TOKEN`. */
function isSame(begin: string, text: string): boolean {
  const [flag, word = ''] = begin.split(' ');
  if (flag === '--secret') return text.split(',').some((field) => field.trim() === word);
  return text === word || text.startsWith(`${word}=`);
}

/** Of http a name alone is a password too: forges take tokens in its place. */
function hasPassword(text: string): boolean {
  return /https?:\/\/[^/?#\s]*@|:\/\/[^/@\s]*:[^/\s]*@/i.test(text);
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}
