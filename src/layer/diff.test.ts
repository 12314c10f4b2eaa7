/** A tree that others write to while it is packed: nothing of what they put in the way leads out of it. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeNode } from '../sys/node.ts';
import { diffUpper } from './diff.ts';
import { createLayerWriter } from './writer.ts';

interface Packing {
  tree: string;
  elsewhere: string;
  /** Packs the tree; `swap` is called once, when the entry of this path was written. */
  pack: (at: string, swap: () => void) => { paths: string[]; bytes: string };
}

function inFolder(use: (packing: Packing) => void): void {
  const base = mkdtempSync(join(tmpdir(), 'siru-live-'));
  const [tree, elsewhere] = [join(base, 'tree'), join(base, 'elsewhere')];
  try {
    mkdirSync(join(tree, 'a/b'), { recursive: true });
    mkdirSync(join(elsewhere, 'b'), { recursive: true });
    writeFileSync(join(tree, 'a/b/file'), 'own');
    writeFileSync(join(elsewhere, 'b/file'), 'not');
    use({
      tree, elsewhere,
      pack(at, swap) {
        const paths: string[] = [];
        let bytes = '';
        const writer = createLayerWriter({ write: (part) => void (bytes += Buffer.from(part).toString('latin1')) });
        const open = readdirSync('/proc/self/fd').length;
        try {
          diffUpper(tree, { ...writer, add(entry, content) {
            const added = writer.add(entry, content);
            paths.push(entry.path);
            if (entry.path === at) swap();
            return added;
          } }, { live: true });
        } finally {
          assert.equal(readdirSync('/proc/self/fd').length, open, 'nothing stays open');
          writer.finish();
        }
        return { paths, bytes };
      },
    });
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
}

const skip = process.platform === 'linux' ? false : 'needs /proc/self/fd';

test('a directory that becomes a link while a live tree is packed is not followed', { skip }, () => {
  inFolder(({ tree, elsewhere, pack }) => {
    assert.throws(() => pack('a', () => {
      renameSync(join(tree, 'a'), join(tree, 'moved'));
      symlinkSync(elsewhere, join(tree, 'a'));
    }), { code: 'STORE' });
  });
});

test('what lies deeper in a live tree is read where it was, when a directory above becomes a link', { skip }, () => {
  inFolder(({ tree, elsewhere, pack }) => {
    const { paths, bytes } = pack('a/b', () => {
      renameSync(join(tree, 'a'), join(tree, 'moved'));
      symlinkSync(elsewhere, join(tree, 'a'));
    });
    assert.deepEqual(paths, ['a', 'a/b', 'a/b/file']);
    assert.ok(bytes.includes('own') && !bytes.includes('not\0'));
  });
});

test('a file of a live tree that becomes a link or a device is not read', { skip: skip || (process.getuid!() === 0 ? false : 'needs root, to make a device') }, () => {
  for (const put of [(path: string, elsewhere: string) => symlinkSync(join(elsewhere, 'b/file'), path), (path: string) => makeNode(path, 'char', 0o600, 1, 5)]) {
    inFolder(({ tree, elsewhere, pack }) => {
      const file = join(tree, 'file');
      writeFileSync(file, 'own');
      assert.throws(() => pack('a/b/file', () => {
        rmSync(file);
        put(file, elsewhere);
      }), { code: 'STORE' });
    });
  }
});

test('a file of a live tree that grows or shrinks is packed as it is when it is read', { skip }, () => {
  for (const text of ['', 'much longer than before']) {
    inFolder(({ tree, pack }) => {
      const file = join(tree, 'file');
      writeFileSync(file, 'own');
      const { bytes } = pack('a/b/file', () => writeFileSync(file, text));
      assert.ok(bytes.includes(text));
    });
  }
});
