/** ADD: files from a web server. */
import { gzipSync } from 'node:zlib';
import { rawTar } from '../../support/tar.ts';
import type { Case } from '../case.ts';

const served = { 'dir/f.txt': { text: 'served\n', mtime: 1_650_000_000 }, g: 'g\n', 'a.tgz': gzipSync(rawTar([{ name: 'in', text: 'in\n' }])) };
const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;
const sum = 'sha256:' + 'b5e5b5a2ad56bb0f4da0a0f6b4b4a4a7d7a3a1d9b5c9f5e0a4b8e8f1b0a0b0c0';

export const cases: Case[] = [
  { name: 'url-to-dir', dockerfile: bare('ADD {server}/dir/f.txt /x/'), served, times: /^x\/f/ },
  { name: 'url-to-name', dockerfile: bare('ADD {server}/dir/f.txt /x'), served, times: /^x/ },
  { name: 'url-with-query', dockerfile: bare('ADD {server}/g?a=b/c /x/'), served },
  { name: 'url-chown-chmod', dockerfile: bare('ADD --chown=3:4 --chmod=755 {server}/g /x/'), served },
  { name: 'url-is-not-unpacked', dockerfile: bare('ADD {server}/a.tgz /x/'), served },
  { name: 'url-unpacked', dockerfile: bare('ADD --unpack=true {server}/a.tgz /x/'), served },
  { name: 'url-and-file', dockerfile: bare('ADD {server}/g f /x/'), served, files: { f: 'f\n' } },
  { name: 'url-by-variable', dockerfile: bare('ARG what=g\nADD {server}/${what} /x/'), served },
  { name: 'url-missing', dockerfile: bare('ADD {server}/none /x/'), served, refused: /404/ },
  { name: 'url-wrong-checksum', dockerfile: bare(`ADD --checksum=${sum} {server}/g /x/`), served, refused: /digest|checksum/ },
  { name: 'url-for-copy', dockerfile: bare('COPY {server}/g /x/'), served, refused: /URL/ },
];
