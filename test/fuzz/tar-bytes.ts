/** Tars as inputs: made of members with strange fields, and mended so that a changed header still has its checksum. */
import { rawTar } from '../support/tar.ts';
import type { Random } from './random.ts';

const names = ['a', 'a/b', './a', '/etc/passwd', '../x', 'a/../b', 'a//b/', '.wh.a', 'a/.wh..wh..opq', '.wh..wh.x', 'b', 'a/b/c', 'ü', '\n', 'n'.repeat(100), '.', '', '__proto__', 'a/constructor'];
const links = ['a', '../..', '/', '/a/b', 'b', '', '.', 'a/b/../../..', 'x'.repeat(100)];
const flags = ['0', '0', '5', '1', '2', '3', '4', '6', '7', 'x', 'g', 'L', 'K', 'S', 'D', '\0', 'V'];
const records = ['path=b/c', 'path=', 'size=10', 'size=-1', 'uid=99999999999', 'mtime=1.5', 'mtime=-99999999999', 'linkpath=../x', 'SCHILY.xattr.user.a=\0\x01', 'SCHILY.xattr.trusted.overlay.opaque=y', 'SCHILY.xattr.x=1', 'GNU.sparse.major=1', 'comment=x', 'gid=1', '=', 'path'];
const fields: [at: number, length: number][] = [[100, 8], [108, 8], [116, 8], [124, 12], [136, 12], [329, 8], [337, 8]];

export function generateTar(random: Random): Buffer {
  const parts: Buffer[] = [];
  for (let count = random.int(6); count > 0; count--) {
    const type = random.pick(flags);
    const text = type === 'x' || type === 'g' ? paxRecords(random) : type === 'L' || type === 'K' ? `${random.pick(names)}\0` : 'x'.repeat(random.int(random.once(4) ? 2000 : 20));
    const member = rawTar([{ name: random.pick(names), link: random.pick(links), text }], false);
    member.write(type, 156, 'latin1');
    if (random.once(3)) {
      const [at, length] = random.pick(fields);
      member.write(random.pick(['', '777', '0'.repeat(11), '9', ' 12 ', '7'.repeat(12), '\x80', '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff', '-1']).slice(0, length).padEnd(length, '\0'), at, 'latin1');
    }
    parts.push(member);
  }
  if (!random.once(5)) parts.push(Buffer.alloc(1024));
  return mendChecksums(Buffer.concat(parts));
}

function paxRecords(random: Random): string {
  return Array.from({ length: random.int(4) }, () => {
    const record = random.pick(records);
    let length = record.length + 2;
    while (String(length).length + record.length + 2 !== length) length++;
    return `${random.once(8) ? random.int(99) : length} ${record}\n`;
  }).join('');
}

/** Every block that looks like a header gets the checksum it should have. Changes the bytes in place. */
export function mendChecksums(bytes: Buffer): Buffer {
  for (let at = 0; at + 512 <= bytes.length; at += 512) {
    if (bytes.toString('latin1', at + 257, at + 262) !== 'ustar') continue;
    bytes.write('        ', at + 148, 'latin1');
    let sum = 0;
    for (let i = at; i < at + 512; i++) sum += bytes[i]!;
    bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, at + 148, 'latin1');
  }
  return bytes;
}

export function tarSeeds(): Buffer[] {
  return [
    rawTar([{ name: 'a/', type: '5' }, { name: 'a/b', text: 'hello' }, { name: 'c', type: '1', link: 'a/b' }, { name: 'd', type: '2', link: '../a' }, { name: 'a/.wh.x' }]),
    rawTar([{ name: 'p', type: '0', text: '30 mtime=1350244992.023960108\n' }, { name: 'dev', type: '3', device: [1, 3] }, { name: 'f', type: '6' }]),
  ];
}
