/** A layer's tar to its table of contents; tables that were damaged. The first byte of the input says which. */
import { isSiruError, type SiruError } from '../../../src/base/errors.ts';
import { readLayer } from '../../../src/layer/read-layer.ts';
import type { Toc } from '../../../src/layer/toc-contract.ts';
import { encodeToc, openToc } from '../../../src/layer/toc.ts';
import { createView } from '../../../src/layer/view.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';
import { generateTar, mendChecksums, tarSeeds } from '../tar-bytes.ts';

const asTar = 0;
const asTable = 1;

export const layer: Target = {
  name: 'layer',
  share: 70,
  largest: 1 << 16,
  seeds: () => [...tarSeeds().map((bytes) => marked(asTar, bytes)), marked(asTable, smallTable())],
  generate: (random) => (random.once(2) ? marked(asTable, damaged(smallTable(), (bound) => random.int(bound))) : marked(asTar, generateTar(random))),
  run(input) {
    const bytes = Buffer.from(input.subarray(1));
    return input[0] === asTable ? openTable(bytes) : readTar(mendChecksums(bytes));
  },
};

async function readTar(bytes: Buffer): Promise<string> {
  let answer: Awaited<ReturnType<typeof readLayer>> | SiruError;
  try {
    answer = await readLayer([bytes]);
  } catch (error) {
    if (!isSiruError(error)) throw error;
    return ending(error);
  }
  const toc = openToc(answer.toc);
  const paths = [...toc].map(({ path }) => path);
  if (paths.length !== answer.summary.entries) broken(`${paths.length} entries, and the summary says ${answer.summary.entries}`);
  for (const [i, path] of paths.entries()) {
    if (i > 0 && !(paths[i - 1]! < path)) broken(`${JSON.stringify(path)} is out of order`);
    if (toc.lookup(path)?.path !== path) broken(`${JSON.stringify(path)} is listed and not found`);
  }
  walk(toc, paths);
  return 'read';
}

function openTable(bytes: Buffer): string {
  const answer = answerOf(() => {
    const toc = openToc(bytes);
    const paths: string[] = [];
    for (const { path } of toc) if (paths.push(path) > 1000) break;
    toc.lookup('a/b');
    walk(toc, paths);
    return 'read';
  });
  return ending(answer);
}

/** Asks the merged view of the layer with itself, as COPY does. */
function walk(toc: Toc, paths: readonly string[]): void {
  const view = createView([toc, toc]);
  for (const path of ['', ...paths.slice(0, 50)]) {
    answerOf(() => view.resolve(path));
    answerOf(() => view.children(path));
  }
}

function smallTable(): Buffer {
  const entry = { mode: 0o644, uid: 0, gid: 0, size: 0, mtime: 1 };
  const entries = Array.from({ length: 40 }, (_, i) => ({ ...entry, path: `a/${String(i).padStart(2, '0')}`, type: i % 5 === 0 ? ('symlink' as const) : ('dir' as const), ...(i % 5 === 0 ? { link: '../a/07/..' } : {}) }));
  const zeros = '0'.repeat(64);
  return encodeToc(entries, { diffId: `sha256:${zeros}`, treeDigest: `sha256:${zeros}`, size: 1024, entries: entries.length });
}

function damaged(bytes: Buffer, int: (bound: number) => number): Buffer {
  for (let count = 1 + int(4); count > 0; count--) bytes[int(bytes.length)] = int(256);
  return bytes;
}

function marked(kind: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([kind]), bytes]);
}
