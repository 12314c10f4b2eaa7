/** COPY: `*`, `?`, `[]` and `\` in sources. */
import type { Case } from '../case.ts';

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;
const odd = { 'a*b': '1', axb: '2', 'a?b': '3', 'a[b': '4', '[x]/f': '5', 'x/f': '6', 'a]b': '7', 'a-b': '8' };
const tree = { 'a.txt': 'a\n', 'b.txt': 'b\n', '.hid.txt': 'h\n', 'd/a.txt': 'da\n', 'd/sub/a.txt': 'dsa\n', 'e/a.txt': 'ea\n', 'e/b.txt': 'eb\n', 'd.txt/inside': 'in\n' };

export const cases: Case[] = [
  { name: 'star', dockerfile: bare('COPY *.txt /x/'), files: tree },
  { name: 'star-takes-hidden-names', dockerfile: bare('COPY * /x/'), files: tree },
  { name: 'star-of-dirs-merges-them', dockerfile: bare('COPY [de] /x/'), files: { 'd/a': '1', 'd/c': '3', 'e/b': '2' } },
  { name: 'star-one-match-without-slash', dockerfile: bare('COPY a*.txt /x'), files: tree },
  { name: 'star-several-matches-without-slash', dockerfile: bare('COPY a* /x'), files: { a1: '1', a2: '2' } },
  { name: 'star-several-dirs-without-slash', dockerfile: bare('COPY a* /x'), files: { 'a1/f': '1', 'a2/g': '2' } },
  { name: 'star-in-the-middle', dockerfile: bare('COPY */a.txt /x/'), files: tree },
  { name: 'star-does-not-cross', dockerfile: bare('COPY d/*.txt /x/'), files: tree },
  { name: 'two-stars-are-one', dockerfile: bare('COPY **/a.txt /x/'), files: tree },
  { name: 'star-in-two-parts', dockerfile: bare('COPY */*/a.txt /x/'), files: tree },
  { name: 'star-matches-nothing', dockerfile: bare('COPY none* /x/'), files: tree },
  { name: 'star-matches-nothing-among-others', dockerfile: bare('COPY a.txt none* /x/'), files: tree },
  { name: 'star-below-nothing', dockerfile: bare('COPY none/* /x/'), files: tree },
  { name: 'star-below-a-file', dockerfile: bare('COPY a.txt/* /x/'), files: tree },
  { name: 'missing-beside-a-star', dockerfile: bare('COPY none *.txt /x/'), files: tree, refused: /none/ },
  { name: 'question-mark', dockerfile: bare('COPY ?.txt /x/'), files: tree },
  { name: 'class', dockerfile: bare('COPY [ab].txt /x/'), files: tree },
  { name: 'class-negated', dockerfile: bare('COPY [^a].txt /x/'), files: tree },
  { name: 'class-with-bang-is-a-name', dockerfile: bare('COPY [!a].txt /x/'), files: { ...tree, '!.txt': 'bang\n' } },
  { name: 'class-range', dockerfile: bare('COPY f[1-3] /x/'), files: { f1: '1', f2: '2', f3: '3', f4: '4' } },
  { name: 'class-never-ends', dockerfile: bare('COPY [ab.txt /x/'), files: { ...tree, '[ab.txt': 'odd\n' }, refused: /pattern/ },
  { name: 'class-in-path', dockerfile: bare('COPY [de]/a.txt /x/'), files: tree },
  { name: 'escaped-bracket-by-class', dockerfile: bare('COPY a[[]b /x/'), files: odd },
  { name: 'escaped-by-backslash', dockerfile: bare('COPY a\\*b /x/'), files: odd },
  { name: 'escaped-by-two-backslashes', dockerfile: bare('COPY a\\\\*b /x/'), files: odd, refused: /a\\*b.* not|not.*a/ },
  { name: 'escaped-in-json', dockerfile: bare('COPY ["a\\\\*b", "a\\\\?b", "/x/"]'), files: odd },
  { name: 'escaped-bracket-in-json', dockerfile: bare('COPY ["\\\\[x\\\\]/f", "/x/"]'), files: odd },
  { name: 'bracket-name-written-plainly', dockerfile: bare('COPY [x]/f /x/'), files: odd },
  { name: 'star-and-question-as-names', dockerfile: bare('COPY a*b /x/'), files: odd },
  { name: 'star-with-trailing-slash', dockerfile: bare('COPY */ /x/'), files: tree },
  { name: 'star-after-dot-dot', dockerfile: bare('COPY d/../e/*.txt /x/'), files: tree },
  { name: 'star-after-leading-slash', dockerfile: bare('COPY /*.txt /x/'), files: tree },
  { name: 'star-over-links', dockerfile: bare('COPY l* /x/'), files: { 'd/f': '1', f: '2', l1: { link: 'f' }, l2: { link: 'd' } } },
  { name: 'star-over-dangling-link', dockerfile: bare('COPY l* /x/'), files: { l1: { link: 'none' } }, refused: /l1|none|no such/ },
  { name: 'star-below-a-linked-dir', dockerfile: bare('COPY l/* /x/'), files: { 'd/f': '1', l: { link: 'd' } } },
  { name: 'star-below-linked-dirs', dockerfile: bare('COPY l*/* /x/'), files: { 'd/f': '1', l1: { link: 'd' } } },
  { name: 'file-and-dir-of-one-pattern', dockerfile: bare('COPY d* /x/'), files: tree },
  { name: 'from-stage', dockerfile: 'FROM base/tree AS t\nFROM base/bare\nCOPY --from=t /tree/* /x/', refused: /dangling/ },
  { name: 'from-stage-deep', dockerfile: 'FROM base/tree AS t\nFROM base/bare\nCOPY --from=t /tr*/d*/i* /x/', files: {} },
];
