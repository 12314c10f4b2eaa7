/** The data types of the SSH protocols (RFC 4251, section 5). */

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function string(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value as string);
  return Buffer.concat([uint32(bytes.length), bytes]);
}

/** A positive number of any length. */
export function mpint(value: Uint8Array): Buffer {
  let start = 0;
  while (start < value.length && value[start] === 0) start++;
  const digits = value.subarray(start);
  // A first bit that is set would make it a negative one.
  return string(digits.length > 0 && digits[0]! >= 0x80 ? Buffer.concat([Buffer.of(0), digits]) : digits);
}

export interface Reader {
  byte(): number;
  uint32(): number;
  string(): Buffer;
  /** Without the zero in front. */
  mpint(): Buffer;
}

/** Throws Error where the bytes end too soon. */
export function createReader(bytes: Buffer): Reader {
  let at = 0;
  const take = (count: number): Buffer => {
    if (at + count > bytes.length) throw new Error('it ends too soon');
    at += count;
    return bytes.subarray(at - count, at);
  };
  const reader: Reader = {
    byte: () => take(1)[0]!,
    uint32: () => take(4).readUInt32BE(),
    string: () => take(reader.uint32()),
    mpint() {
      const digits = reader.string();
      return digits[0] === 0 ? digits.subarray(1) : digits;
    },
  };
  return reader;
}
