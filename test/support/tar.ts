/** Tar archives as a stranger could write them: nothing is checked. */

export interface RawEntry {
  name: string;
  /** `0` file, `1` hard link, `2` symbolic link, `3` character device, `4` block device, `5` folder, `6` fifo. */
  type?: '0' | '1' | '2' | '3' | '4' | '5' | '6' | 'x' | 'g';
  link?: string;
  text?: string | Uint8Array;
  mode?: number;
  uid?: number;
  gid?: number;
  mtime?: number;
  /** Records of a PAX header before the entry: `SCHILY.xattr.user.a`, `path`, ... */
  pax?: Record<string, string>;
  /** What the header says, when that is a lie. */
  size?: number;
  device?: [number, number];
}

export function rawTar(entries: readonly RawEntry[], end = true): Buffer {
  const parts: Buffer[] = [];
  for (const { name, uid = 0, gid = 0, mtime = 1_600_000_000, pax, type = '0', link = '', text = '', mode = type === '5' ? 0o755 : 0o644, size, device } of entries) {
    if (pax) parts.push(rawTar([{ name: `PaxHeaders/${name}`.slice(0, 100), type: 'x', text: paxRecords(pax) }], false));
    const [major, minor] = device ?? [0, 0];
    const bytes = Buffer.from(text as string);
    const header = Buffer.alloc(512);
    const octal = (value: number, at: number, length: number): void => void header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1');
    header.write(name, 0, 100);
    octal(mode, 100, 8);
    octal(uid, 108, 8);
    octal(gid, 116, 8);
    octal(size ?? bytes.length, 124, 12);
    octal(mtime, 136, 12);
    header.write('        ', 148, 'latin1');
    header.write(type, 156, 'latin1');
    header.write(link, 157, 100);
    header.write('ustar\x0000', 257, 'latin1');
    octal(major, 329, 8);
    octal(minor, 337, 8);
    octal(header.reduce((sum, byte) => sum + byte, 0), 148, 7);
    parts.push(header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512));
  }
  if (end) parts.push(Buffer.alloc(1024));
  return Buffer.concat(parts);
}

/** The text of a PAX header. */
export function paxRecords(records: Record<string, string>): string {
  return Object.entries(records)
    .map(([name, value]) => {
      const rest = Buffer.byteLength(` ${name}=${value}\n`);
      let length = rest + 1;
      while (length !== rest + String(length).length) length = rest + String(length).length;
      return `${length} ${name}=${value}\n`;
    })
    .join('');
}
