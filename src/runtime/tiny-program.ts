/** The smallest program of each architecture: one that ends with code 0. Whether it does tells whether such programs run here. */

interface Machine {
  bits: 32 | 64;
  bigEndian?: true;
  /** ELF's number of the architecture, and its flags. */
  number: number;
  flags?: number;
  /** exit(0) as the architecture's system call. */
  code: string;
}

const machines: Record<string, Machine> = {
  amd64: { bits: 64, number: 62, code: 'b83c000000' + '31ff' + '0f05' },
  386: { bits: 32, number: 3, code: 'b801000000' + '31db' + 'cd80' },
  arm64: { bits: 64, number: 183, code: 'a80b80d2' + '000080d2' + '010000d4' },
  arm: { bits: 32, number: 40, flags: 0x05000000, code: '0170a0e3' + '0000a0e3' + '000000ef' },
  riscv64: { bits: 64, number: 243, code: '9308d005' + '13050000' + '73000000' },
  ppc64le: { bits: 64, number: 21, flags: 2, code: '01000038' + '00006038' + '02000044' },
  s390x: { bits: 64, bigEndian: true, number: 22, code: 'a7290000' + '0a01' },
  mips64le: { bits: 64, number: 8, flags: 0x60000000, code: 'c2130224' + '00000424' + '0c000000' },
  loong64: { bits: 64, number: 258, flags: 0x43, code: '0b74c102' + '0400c002' + '00002b00' },
};

/** Where the file is loaded: a multiple of every page size. */
const base = 0x400000;
const page = 0x10000;

/** An ELF file; undefined for architectures that are not known. */
export function tinyProgram(architecture: string): Buffer | undefined {
  const machine = Object.hasOwn(machines, architecture) ? machines[architecture]! : undefined;
  if (!machine) return undefined;
  const { bits, number, flags = 0, bigEndian = false } = machine;
  const code = Buffer.from(machine.code, 'hex');
  const wide = bits === 64;
  const [headerSize, segmentSize] = wide ? [64, 56] : [52, 32];
  const start = headerSize + segmentSize;
  const size = start + code.length;
  const bytes = Buffer.alloc(size);
  let at = 0;
  const put = (value: number, length: number): void => {
    if (bigEndian) bytes.writeUIntBE(value, at + Math.max(0, length - 6), Math.min(length, 6));
    else bytes.writeUIntLE(value, at, Math.min(length, 6));
    at += length;
  };
  const word = wide ? 8 : 4;

  bytes.write('\x7fELF', 'latin1');
  at = 4;
  for (const value of [wide ? 2 : 1, bigEndian ? 2 : 1, 1]) put(value, 1);
  at = 16;
  put(2, 2); // an executable
  put(number, 2);
  put(1, 4);
  put(base + start, word); // entry
  put(headerSize, word); // segments
  put(0, word); // no sections
  put(flags, 4);
  for (const value of [headerSize, segmentSize, 1, 0, 0, 0]) put(value, 2);

  put(1, 4); // a segment to load
  if (wide) put(5, 4); // readable, executable
  for (const value of [0, base, base, size, size]) put(value, word);
  if (!wide) put(5, 4);
  put(page, word);
  code.copy(bytes, start);
  return bytes;
}
