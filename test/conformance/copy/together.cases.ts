/** COPY, ADD and RUN after each other, as the test suites of other builders have them. */
import { rawTar } from '../../support/tar.ts';
import type { Case } from '../case.ts';

const context = {
  'ctx/foo': 'foo\n', 'ctx/arr[0].txt': 'bracket\n', 'ctx/bar/bam/bat': 'deep\n', 'ctx/bar/bat': 'bat\n', 'ctx/bar/baz': 'baz\n', 'ctx/empty/': '', 'ctx/qux/qup': { text: 'qup\n', mode: 0o755 }, 'ctx/qux/quw/que': 'que\n', 'ctx/quo': 'quo\n',
  'ctx/l': { link: 'bar' }, 'ctx/lf': { link: 'foo' }, 'ctx/nowhere': { link: '/no/such' },
} as const;
const tars = { 'tars/a.tar': rawTar([{ name: 'a/', type: '5', mode: 0o700 }, { name: 'a/f', text: 'f\n', uid: 12, gid: 34 }]), 'tars/b.tar': rawTar([{ name: 'a/g', text: 'g\n' }, { name: 'l', type: '2', link: 'a' }]), 'tars/note': 'no archive\n' };

export const cases: Case[] = [
  {
    name: 'all-kinds-of-copy',
    dockerfile: [
      'FROM base/busybox', 'COPY ctx/foo foo', 'COPY ctx/foo /foodir/', 'COPY ctx/bar/b* bar/', 'COPY ctx/fo? /foo2', 'COPY ctx/bar/none* ctx/foo hello', 'COPY ./ctx/empty /empty', 'COPY ./ dir/', 'COPY . newdir',
      'COPY ctx/bar /baz/', 'COPY ["ctx/foo", "/tmp/foo" ]', 'COPY ctx/q* /qux/', 'COPY ctx/foo ctx/bar/ba? /test/', 'COPY ctx/arr[[]0].txt /mydir/', 'COPY ctx/bar/bat .', 'COPY --chown=10000:10000 ctx/foo /not/there/yet/',
      'ENV c ./ctx', 'COPY ${c}/foo /tmp/foo2', 'COPY $c/bar/* /tmp/${c}/', '',
    ].join('\n'),
    files: context,
  },
  {
    name: 'all-kinds-of-add',
    dockerfile: ['FROM base/busybox', 'ADD ctx/foo foo', 'ADD ctx/foo /foodir/', 'ADD ctx/bar/b* bar/', 'ADD . newdir', 'ADD ["ctx/foo", "/tmp/foo"]', 'ENV c ./ctx', 'ADD $c/bar/* /tmp/${c}/', 'ADD tars/* /tars/', 'ADD tars/a.tar /again', 'ADD tars/b.tar /again', ''].join('\n'),
    files: { ...context, ...tars },
  },
  { name: 'empty-argument-as-source', dockerfile: 'FROM base/bare\nARG file\nCOPY $file /arg\n', files: { f: 'f\n' } },
  { name: 'the-same-tree-twice-with-other-owners', dockerfile: 'FROM scratch\nCOPY ctx/ sub/\nCOPY --chown=99:98 ctx/ sub/\nCOPY ctx/qux sub/\n', files: context },
  { name: 'same-tree-by-run-and-copy', dockerfile: 'FROM base/busybox\nRUN mkdir -p /d/bar && echo old > /d/foo && chmod 700 /d /d/bar && chown 5:6 /d/bar\nCOPY ctx /d\nCOPY ctx/ /d/\n', files: context },
  { name: 'copy-back-into-the-base', dockerfile: 'FROM base/busybox AS one\nRUN mkdir /d && echo 1 > /d/f && chown 3:4 /d/f\nFROM one AS two\nRUN echo 2 > /d/f && rm -r /home\nFROM one\nCOPY --from=two /d /d\nCOPY --from=two /etc/passwd /d/\n' },
  { name: 'volume-then-everything', dockerfile: 'FROM base/busybox\nRUN mkdir -p /v/w && echo 1 > /v/w/f\nVOLUME ["/v/w", "/new"]\nRUN echo 2 > /v/w/g; chown -R 7:8 /v\nCOPY --chown=1:2 ctx/foo /v/w/\nADD tars/a.tar /v/w/\nWORKDIR /new\nRUN echo 3 > h\n', files: { ...context, ...tars } },
  { name: 'links-that-runs-made', dockerfile: 'FROM base/busybox\nRUN mkdir -p /real/sub && ln -s /real /abs && ln -s real rel && ln -s /nowhere /dang && ln -s sub /real/in\nCOPY ctx/foo /abs/\nCOPY ctx/foo /rel/in/x\nCOPY ctx/bar /abs/in\nCOPY ctx/foo /dang/x\nWORKDIR /rel/w\nADD ctx/foo .\n', files: context },
  { name: 'workdir-user-copy', dockerfile: 'FROM base/users\nUSER app\nWORKDIR /srv/app\nCOPY ctx/foo .\nCOPY --chown=app:app ctx/foo ./mine\nRUN id -u > /tmp/u && touch here || true\nUSER 0\nWORKDIR sub\nCOPY ctx/bar/ ./\n', files: context },
  { name: 'an-archive-over-an-archive', dockerfile: 'FROM scratch\nADD tars/a.tar /x/\nADD tars/b.tar /x/\nCOPY tars/note /x/l/\n', files: tars },
  { name: 'a-tree-in-many-layers', dockerfile: 'FROM base/busybox\nRUN mkdir /t && echo 1 > /t/a && echo 1 > /t/b\nRUN rm /t/a && echo 2 > /t/c\nCOPY ctx/bar /t\nRUN rm -r /t/bam && mkdir /t/bam\nFROM scratch\nCOPY --from=0 /t /t\n', files: context },
  { name: 'one-file-through-four-stages', dockerfile: 'FROM scratch AS a\nCOPY --chmod=4750 --chown=1:2 ctx/foo /f\nFROM scratch AS b\nCOPY --from=a / /x/\nFROM b AS c\nCOPY --from=b /x/f /y/f\nFROM scratch\nCOPY --from=c /y /z\nCOPY --from=2 /x/f /\n', files: context, times: /f$/ },
  { name: 'owners-that-another-layer-brings', dockerfile: 'FROM base/busybox\nRUN echo "late:x:4444:5555::/:/bin/sh" >> /etc/passwd && echo "lates:x:6666:" >> /etc/group\nCOPY --chown=late:lates ctx/bar /b\nRUN sed -i s/4444/7777/ /etc/passwd\nADD --chown=late ctx/foo /c/\n', files: context },
  { name: 'etc-passwd-is-copied', dockerfile: 'FROM base/busybox\nCOPY etc /etc\nUSER me\nWORKDIR /home/me\nCOPY --chown=me etc/passwd .\n', files: { 'etc/passwd': 'me:x:12:34::/home/me:/bin/sh\n', 'etc/group': 'we:x:34:\n' } },
  { name: 'quotes-and-blanks', dockerfile: 'FROM base/bare\nENV d="a b"\nCOPY ["ctx/foo", "$d/"]\nCOPY ctx/foo "$d"/x/\nCOPY \'ctx/foo\' /y\n', files: context },
  { name: 'blanks-by-variable', dockerfile: 'FROM base/bare\nENV d="a b"\nCOPY ["ctx/foo", "$d/"]\nCOPY ctx/foo $d/x/\nCOPY \'ctx/foo\' /y\n', files: context },
  { name: 'continuation-and-comments', dockerfile: 'FROM base/bare\nCOPY ctx/foo \\\n  # not this one\n  ctx/quo \\\n\n  /x/\n', files: context },
  { name: 'lower-case-instructions', dockerfile: 'from base/bare as one\ncopy ctx/foo /a\nadd ctx/foo /b\nFrom scratch\nCopy --from=ONE /a /c\n', files: context },
  { name: 'copy-of-the-dockerfile', dockerfile: 'FROM base/bare\nCOPY Dockerfile ctx/foo /x/\nCOPY [D]ockerfile /y\n', files: context },
  { name: 'only-a-link-that-leads-nowhere-in-a-dir', dockerfile: 'FROM scratch\nCOPY s /x\nADD s /y\n', files: { 's/l': { link: '/none' } } },
  { name: 'dir-with-a-name-like-an-archive', dockerfile: 'FROM base/bare\nADD x.tar /x.tar\nCOPY x.tar /y\n', files: { 'x.tar/f': '1' } },
];
