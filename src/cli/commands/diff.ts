/** `siru diff` */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Command } from 'commander';
import { checkCancelled } from '../../base/context.ts';
import type { ConfigChange, HistoryChange } from '../../images/xray/compare-configs.ts';
import type { Aspect, TreeChange } from '../../images/xray/compare-trees.ts';
import type { Entry } from '../../layer/entry.ts';
import type { Call } from '../call.ts';
import { harmlessJson, harmlessLine } from '../sanitize.ts';
import { humanSize } from '../units.ts';
import { entryMembers, octal, pathText } from '../xray/entry.ts';

interface Flags {
  json?: boolean;
  times?: boolean;
  quiet?: boolean;
  platform?: string;
}

const batch = 1000;

/** Exit code for trouble, so that it is not taken for a difference. */
export const failure = 2;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] A B')
    .argument('<a>', 'an image, or IMAGE@LAYER: the number or the diff ID of a layer')
    .argument('<b>')
    .option('--times', 'Times count too: of files, of the configuration and of the history')
    .option('--json', 'As one JSON document')
    .option('-q, --quiet', 'Print nothing; the exit code tells')
    .option('--platform <platform>', 'Of images for several platforms')
    .addHelpText('after', `
Ends with 0 when nothing differs, 1 when something does, 2 when they could not be compared.

Examples:
  siru diff app:1.0 app:1.1
  siru diff app:1.0@2 app:1.1@2
  siru diff --json app:1.0 app:1.1 | jq '.files[] | select(.change == "added")'`);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<number> {
  const [a = '', b = ''] = operands;
  const store = await call.store();
  const [{ findSubject }, { compareTrees }, { compareConfigs, compareHistories }, { parsePlatform }] = await Promise.all([
    import('../../images/xray/subject.ts'), import('../../images/xray/compare-trees.ts'), import('../../images/xray/compare-configs.ts'), import('../../oci/platform.ts'),
  ]);
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  const [left, right] = [await findSubject(store, a, platform, call.context()), await findSubject(store, b, platform, call.context())];
  const both = left.image && right.image && ([left.image.config, right.image.config] as const);
  const config = both ? compareConfigs(...both, flags) : [];
  const history = both ? compareHistories(both[0].history, both[1].history, flags) : [];

  let files = 0;
  let pieces: string[] = [];
  const put = (text: string): void => {
    if (!flags.quiet) pieces.push(text);
  };
  if (flags.json) put('{"files":[');
  for (const change of compareTrees(left.entries(), right.entries(), flags)) {
    if (flags.json) put(`${files === 0 ? '\n' : ',\n'}${harmlessJson(JSON.stringify(changeMembers(change)))}`);
    else put(changeLine(change));
    if (flags.quiet) return 1;
    if (++files % batch !== 0) continue;
    call.print(pieces.join(''));
    pieces = [];
    // A signal gets through.
    await nextTurn();
    checkCancelled(call.context());
  }
  if (flags.json) put(`],\n"config":${harmlessJson(JSON.stringify(config))},\n"history":${harmlessJson(JSON.stringify(history.map(({ type, index, entry }) => ({ change: type, index, ...entry }))))}}\n`);
  else for (const line of [...config.map(configLine), ...history.map((change) => historyLine(change, flags.times ?? false))]) put(line);
  call.print(pieces.join(''));
  return files + config.length + history.length > 0 ? 1 : 0;
}

const signs = { added: '+', removed: '-', changed: '~' };

function changeLine({ type, before, after, aspects }: TreeChange): string {
  const entry = (after ?? before)!;
  const size = entry.type === 'file' ? ` (${humanSize(entry.size)})` : entry.type === 'whiteout' ? ' (a deletion)' : '';
  const what = type === 'changed' ? `: ${aspects.map((aspect) => aspectText(aspect, before!, after!)).join(', ')}` : size;
  return `${signs[type]} ${pathText(type === 'changed' ? { ...entry, link: undefined } : entry)}${what}\n`;
}

function aspectText(aspect: Aspect, before: Entry, after: Entry): string {
  const arrow = (of: (entry: Entry) => string): string => `${aspect} ${of(before)} -> ${of(after)}`;
  switch (aspect) {
    case 'type':
      return arrow(({ type }) => type);
    case 'content':
      return before.size === after.size ? `content (${humanSize(after.size)})` : arrow(({ size }) => humanSize(size));
    case 'link':
      return arrow(({ link }) => harmlessLine(link ?? ''));
    case 'mode':
      return arrow(({ mode }) => octal(mode));
    case 'owner':
      return arrow(({ uid, gid }) => `${uid}:${gid}`);
    case 'device':
      return arrow(({ major, minor }) => `${major ?? 0}:${minor ?? 0}`);
    case 'time':
      return arrow(({ mtime }) => timeText(mtime));
    case 'opaque':
      return after.opaque ? 'hides what is below' : 'no longer hides what is below';
    case 'xattrs':
      return `xattrs ${attributesChanged(before, after).map(harmlessLine).join(' ')}`;
  }
}

/** Names of the attributes that differ. */
function attributesChanged({ xattrs: a = {} }: Entry, { xattrs: b = {} }: Entry): string[] {
  const text = (of: Record<string, Uint8Array>, name: string): string => (Object.hasOwn(of, name) ? `=${Buffer.from(of[name]!).toString('hex')}` : '');
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => text(a, name) !== text(b, name)).sort();
}

/** Times of layers may lie outside of what Date knows. */
function timeText(seconds: number): string {
  return Math.abs(seconds) <= 8.64e12 ? new Date(seconds * 1000).toISOString().replace('.000Z', 'Z') : String(seconds);
}

function changeMembers({ path, type, before, after, aspects }: TreeChange): object {
  return { path: `/${path}`, change: type, ...(type === 'changed' ? { aspects } : {}), ...(before ? { before: entryMembers(before) } : {}), ...(after ? { after: entryMembers(after) } : {}) };
}

function configLine({ name, before, after }: ConfigChange): string {
  const value = (of: unknown): string => (typeof of === 'string' ? harmlessLine(of) : harmlessJson(JSON.stringify(of)));
  const label = `config ${harmlessLine(name)}`;
  if (before === undefined) return `+ ${label}: ${value(after)}\n`;
  if (after === undefined) return `- ${label}: ${value(before)}\n`;
  return `~ ${label}: ${value(before)} -> ${value(after)}\n`;
}

function historyLine({ type, entry }: HistoryChange, times: boolean): string {
  const text = entry.created_by ?? entry.comment ?? '';
  return `${signs[type]} history: ${harmlessLine(text)}${!times || entry.created === undefined ? '' : ` (${harmlessLine(entry.created)})`}\n`;
}
