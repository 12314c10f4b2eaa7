/** Reading of tars: members, and a layer as a whole. However the bytes are cut, the answer is the same. */
import { isSiruError } from '../../../src/base/errors.ts';
import { createTarReader } from '../../../src/layer/tar-read.ts';
import { answerOf, broken, ending, type Target } from '../target.ts';
import { generateTar, mendChecksums, tarSeeds } from '../tar-bytes.ts';

export const tar: Target = {
  name: 'tar',
  share: 120,
  largest: 1 << 16,
  dictionary: ['ustar\x0000', 'ustar  \0', '18 path=b/c/d/e\n', 'SCHILY.xattr.', '../', '\0'.repeat(512), '7777777'],
  seeds: tarSeeds,
  generate: generateTar,
  run(input) {
    const bytes = Buffer.from(input);
    if (bytes.length > 0 && bytes[bytes.length - 1] !== 1) mendChecksums(bytes);
    const whole = read(bytes, bytes.length || 1);
    const cut = read(bytes, 1 + (bytes.length * 7) % 1500);
    if (whole.text !== cut.text) broken(`in pieces the tar reads otherwise:\n${whole.text}\n${cut.text}`);
    return whole.end;
  },
};

function read(bytes: Buffer, step: number): { text: string; end: string } {
  const lines: string[] = [];
  let open: number | undefined;
  const reader = createTarReader({
    member(member) {
      const { path, link, type, size, offset, xattrs, ...rest } = member;
      if (path.startsWith('/') || path.split('/').some((part) => part === '..' || part === '.' || (part === '' && path !== ''))) broken(`the path ${JSON.stringify(path)}`);
      if (type === 'hardlink' && (link === undefined || link.startsWith('/') || link.split('/').includes('..'))) broken(`the hard link ${JSON.stringify(link)}`);
      if (!Number.isSafeInteger(size) || size < 0 || offset % 512 !== 0) broken(`size ${size} at ${offset}`);
      open = size;
      lines.push(JSON.stringify([path, link, type, size, offset, rest, Object.keys(xattrs ?? {})]));
    },
    content(piece) {
      open! -= piece.length;
      if (open! < 0) broken('more content than the member has');
    },
    end() {
      if (open !== 0) broken('the member ends too early');
    },
  });
  const answer = answerOf(() => {
    for (let at = 0; at < bytes.length; at += step) reader.push(bytes.subarray(at, at + step));
    reader.end();
    return 'read';
  });
  lines.push(isSiruError(answer) ? answer.message : answer);
  return { text: lines.join('\n'), end: ending(answer) };
}
