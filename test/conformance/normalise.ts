/**
 * An image in a form in which two builds of the same are equal. An entry of a layer is a line:
 *
 *     etc/motd file 0644 0:0 "hello\n"             short text as it is
 *     bin/tool file 0755 0:0 10240 9f86d081884c... size and SHA-256 of longer content
 *     etc/link symlink 0777 0:0 -> motd            also hardlink, whose first name in order is the file
 *     srv/data dir 2755 1000:50 user.a="x" @1700000000
 *     gone whiteout                                dir .../opaque: all below is hidden
 */
import { createHash } from 'node:crypto';
import { createTarReader, type TarMember } from '../../src/layer/tar-read.ts';
import type { Built, Case } from './case.ts';

type Chunks = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

export interface RawImage {
  config: Record<string, unknown>;
  /** In order; `open` gives the uncompressed tar. */
  layers: { diffId: string; open: () => Chunks }[];
}

/** `hidden`: texts that change from run to run, and what stands for them. */
export async function normalise(image: RawImage, base: ReadonlySet<string>, times: Case['times'], hidden: ReadonlyMap<string, string>): Promise<Built> {
  const { created: _created, history, rootfs: _rootfs, ...config } = image.config;
  // The tool that carried the base here may have left these.
  for (const name of ['container', 'container_config', 'docker_version', 'id', 'parent']) delete config[name];
  const layers: string[][] = [];
  for (const { diffId, open } of image.layers) if (!base.has(diffId)) layers.push(await layerLines(open(), times));
  const entries = ((history ?? []) as Record<string, unknown>[]).map(({ created: _time, ...entry }) => entry);
  let text = JSON.stringify({ config, history: entries, layers });
  for (const [value, name] of hidden) text = text.replaceAll(value, name);
  return JSON.parse(text) as Built;
}

interface Item {
  member: TarMember;
  content: Buffer[];
}

export async function layerLines(tar: Chunks, times: Case['times']): Promise<string[]> {
  const items = new Map<string, Item>();
  let item: Item | undefined;
  const reader = createTarReader({
    member(member) {
      item = { member, content: [] };
      items.set(member.path, item);
    },
    content: (bytes) => void item?.content.push(Buffer.from(bytes)),
  });
  for await (const chunk of tar) reader.push(chunk);
  reader.end();
  linkInOrder(items);
  return [...items.keys()].sort().map((path) => line(items.get(path)!, times));
}

/** Which name of a file is the file, and which are links to it, depends on the order of the tar: here, the first by name is. */
function linkInOrder(items: Map<string, Item>): void {
  const groups = new Map<string, string[]>();
  for (const [path, { member }] of items) {
    if (member.type !== 'hardlink') continue;
    let target = member.link!;
    for (let next = items.get(target); next?.member.type === 'hardlink'; next = items.get(target)) target = next.member.link!;
    groups.set(target, [...(groups.get(target) ?? [target]), path]);
  }
  for (const [target, names] of groups) {
    const file = items.get(target);
    if (!file) continue;
    const [first, ...others] = names.sort();
    items.set(first!, { member: { ...file.member, path: first! }, content: file.content });
    for (const path of others) items.set(path, { member: { ...file.member, path, type: 'hardlink', link: first!, size: 0 }, content: [] });
  }
}

function line({ member, content }: Item, times: Case['times']): string {
  const { path, type, mode, uid, gid, link, xattrs, mtime } = member;
  const whiteout = /^(.*\/|)\.wh\.([^/]*)$/.exec(path);
  if (whiteout) return whiteout[2] === '.wh..opq' ? `${shown(whiteout[1]!)} opaque` : `${shown(whiteout[1]! + whiteout[2]!)} whiteout`;
  const words = [shown(path), type, mode.toString(8).padStart(4, '0'), `${uid}:${gid}`];
  if (type === 'file') words.push(contentText(Buffer.concat(content)));
  if (link !== undefined) words.push('->', shown(link));
  if (member.major !== undefined) words.push(`${member.major},${member.minor}`);
  for (const [name, value] of Object.entries(xattrs ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))) words.push(`${name}=${contentText(Buffer.from(value))}`);
  if (times === true || times?.test(path)) words.push(`@${Math.floor(mtime)}`);
  return words.join(' ');
}

/** Paths with blanks and odd characters in quotes. */
function shown(path: string): string {
  return /^[\w./@%+:,=~-]+$/.test(path) ? path : JSON.stringify(path);
}

function contentText(bytes: Buffer): string {
  const text = bytes.toString('utf8');
  if (bytes.length <= 200 && Buffer.from(text).equals(bytes)) return JSON.stringify(text);
  return `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
}
