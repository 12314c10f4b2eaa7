/** The same layer in a user namespace, where owners are mapped: equal bytes, and what the kernel refuses is counted. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setXattr } from '../sys/xattr.ts';
import { makeNode } from '../sys/node.ts';
import { diffUpper } from './diff.ts';
import { createLayerWriter } from './writer.ts';

/** Runs Node in a user namespace whose 0 is root and whose other ids are 100001 and on. */
async function runInNamespace(args: string[]): Promise<string> {
  // The shell waits until its ids are mapped; what it then becomes has all rights within the namespace.
  const child = spawn('unshare', ['--user', 'sh', '-c', 'echo; read line; exec "$@"', 'sh', process.execPath, ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.once('error', reject);
    child.stdout.on('data', (bytes: Buffer) => {
      if (output === '') {
        for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${map}`, '0 0 1\n1 100001 65535\n');
        child.stdin.end('\n');
      }
      output += bytes.toString();
    });
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`ended with ${code}`))));
  });
  return output;
}
const usable = process.platform === 'linux' && process.getuid?.() === 0 && spawnSync('unshare', ['--user', 'true']).status === 0;

/** Runs inside: unpacks and packs again. */
const inside = `
const [target, file, modules] = process.argv.slice(1);
const { applyLayer } = await import(modules + '/apply.ts');
const { diffUpper } = await import(modules + '/diff.ts');
const { createLayerWriter } = await import(modules + '/writer.ts');
const { readFileSync } = await import('node:fs');
const { summary, skipped } = await applyLayer([readFileSync(file)], target, { opaque: 'user' });
const writer = createLayerWriter({ write() {} });
diffUpper(target, writer);
console.log(JSON.stringify({ summary, skipped, again: writer.finish().summary }));
`;

test('unpacked and packed in a user namespace a layer is the same', { skip: usable ? false : 'needs root and a kernel that lets it make user namespaces' }, async () => {
  const base = mkdtempSync(join(tmpdir(), 'siru-userns-'));
  try {
    const upper = join(base, 'upper');
    mkdirSync(upper);
    writeFileSync(join(upper, 'caps'), 'x');
    chownSync(join(upper, 'caps'), 1000, 50);
    chmodSync(join(upper, 'caps'), 0o2755);
    setXattr(join(upper, 'caps'), 'security.capability', Buffer.from('0100000200040000000000000000000000000000', 'hex'));
    mkdirSync(join(upper, 'd'));
    chownSync(join(upper, 'd'), 65535, 7);
    setXattr(join(upper, 'd'), 'trusted.overlay.opaque', Buffer.from('y'));
    makeNode(join(upper, 'gone'), 'char', 0);
    const pack = (): { tar: Buffer; treeDigest: string; diffId: string } => {
      const chunks: Buffer[] = [];
      const writer = createLayerWriter({ write: (bytes) => void chunks.push(Buffer.from(bytes)) });
      diffUpper(upper, writer);
      const { summary } = writer.finish();
      return { tar: Buffer.concat(chunks), ...summary };
    };
    const work = join(base, 'work');
    mkdirSync(work);
    const run = async (name: string, tar: Buffer): Promise<{ summary: { diffId: string }; again: object; skipped: { devices: number } }> => {
      writeFileSync(join(base, name), tar);
      return JSON.parse(await runInNamespace(['--input-type=module', '-e', inside, join(work, name), join(base, name), import.meta.dirname]));
    };
    const { tar, ...summary } = pack();
    const first = await run('a', tar);
    assert.deepEqual(first.summary, summary);
    assert.deepEqual(first.again, summary);
    assert.deepEqual(first.skipped, { devices: 0, xattrs: {} });
    // A device cannot be made there; the layer's table still has it.
    makeNode(join(upper, 'null'), 'char', 0o666, 1, 3);
    const second = pack();
    const { summary: applied, skipped } = await run('b', second.tar);
    assert.equal(applied.diffId, second.diffId);
    assert.equal(skipped.devices, 1);
  } finally {
    rmSync(base, { recursive: true });
  }
});
