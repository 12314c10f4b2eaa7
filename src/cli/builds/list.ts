/** `siru builds ls` */
import { resolve } from 'node:path';
import { SiruError } from '../../base/errors.ts';
import { sumsOf } from '../../build/history/compare-builds.ts';
import type { BuildEntry } from '../../store/store.ts';
import type { Call } from '../call.ts';
import type { BuildsFlags } from '../commands/builds.ts';
import { time } from '../explain-text.ts';
import { findBuild, shortBuild } from '../../build/history/find-build.ts';
import { formatListing } from '../format.ts';
import { parseUntil, referencePattern } from '../image-filter.ts';
import { shortName } from '../names.ts';
import { harmlessLine } from '../sanitize.ts';
import { ago, goTime } from '../units.ts';

const longestError = 60;

export async function listBuilds(call: Call, flags: BuildsFlags): Promise<void> {
  const { builds } = await call.store();
  const now = Date.now();
  if (flags.last !== undefined && !/^[1-9]\d{0,5}$/.test(flags.last)) throw new SiruError('USAGE', `--last ${flags.last}: not a number`);
  const most = flags.last === undefined ? Infinity : Number(flags.last);
  const tests = flags.filter.map((text) => testOf(text, now, (words) => findBuild(builds, words, process.cwd()).started));
  // Without a filter no more is read than is shown.
  const all = builds.list(tests.length === 0 && most !== Infinity ? { limit: most } : {});
  const rows = all.filter((build) => tests.every((test) => test(build))).slice(0, most === Infinity ? undefined : most);
  const clip = (text: string): string => (flags.trunc && text.length > longestError ? `${text.slice(0, longestError - 1)}…` : text);
  call.print(formatListing<BuildEntry>({
    rows,
    fields: [
      { name: 'ID', heading: 'BUILD', of: ({ id }) => (flags.trunc ? shortBuild(id) : id) },
      { name: 'Name', heading: 'NAME', of: ({ references, directory, project }) => harmlessLine(references.length > 0 ? references.map(shortName).join(', ') : (directory ?? project)) },
      { name: 'Outcome', heading: 'OUTCOME', of: ({ outcome }) => outcome },
      { name: 'Steps', heading: 'STEPS', of: (build) => sumsOf(build).steps },
      { name: 'Cached', heading: 'CACHED', of: (build) => sumsOf(build).cached },
      { name: 'Executed', heading: 'EXECUTED', of: (build) => sumsOf(build).executed + sumsOf(build).same },
      { name: 'Took', heading: 'TOOK', of: ({ took }) => time(took) },
      { name: 'CreatedSince', heading: 'CREATED', of: ({ started }) => ago(started, now) },
      { name: 'CreatedAt', heading: 'CREATED AT', of: ({ started }) => goTime(started) },
      { name: 'Directory', heading: 'DIRECTORY', of: ({ directory, project }) => harmlessLine(directory ?? project) },
      { name: 'ImageID', heading: 'IMAGE ID', of: ({ imageId }) => imageId ?? '' },
      { name: 'Error', heading: 'ERROR', of: ({ error }) => (error ? clip(harmlessLine(error.message)) : '') },
    ],
    columns: ['ID', 'Name', 'Outcome', 'Steps', 'Cached', 'Took', 'CreatedSince'],
    key: 'ID',
  }, flags.format, flags.quiet));
}

function testOf(filter: string, now: number, startOf: (words: string) => number): (build: BuildEntry) => boolean {
  const [, key = filter, value = ''] = /^([^=]*)=(.*)$/.exec(filter) ?? [];
  switch (key) {
    case 'outcome':
      if (!['done', 'failed', 'cancelled'].includes(value)) throw new SiruError('USAGE', `filter outcome=${value}: done, failed or cancelled`);
      return ({ outcome }) => outcome === value;
    case 'name': {
      const matches = referencePattern(value);
      return ({ references }) => references.some(matches);
    }
    case 'directory': {
      const wanted = resolve(value);
      return ({ directory }) => directory === wanted;
    }
    case 'since':
    case 'before': {
      const at = /^[\da-f]{8}/.test(value) ? startOf(value) : parseUntil(value, now);
      return ({ started }) => (key === 'since' ? started > at : started < at);
    }
    default:
      throw new SiruError('USAGE', `unknown filter: ${key}`, { hint: 'outcome=failed, name=PATTERN, directory=PATH, since=24h or before=BUILD' });
  }
}
