import assert from 'node:assert/strict';
import { test } from 'node:test';
import { historyLines, planFile } from './whole-file.suite.ts';

const scratch = (...lines: string[]): string => `${['FROM scratch', ...lines].join('\n')}\n`;

const table: [what: string, lines: string[], history: string[]][] = [
  ['RUN in shell form', ['RUN make'], ['RUN /bin/sh -c make # buildkit']],
  ['RUN in exec form', ['RUN ["make", "all"]'], ['RUN make all # buildkit']],
  ['RUN with continuations', ['RUN a && \\', '  b'], ['RUN /bin/sh -c a &&   b # buildkit']],
  ['RUN after ARG', ['ARG A=1', 'ARG B=2', 'RUN make'], ['ARG A=1', 'ARG B=2', 'RUN |2 A=1 B=2 /bin/sh -c make # buildkit']],
  ['RUN after an ARG without a value', ['ARG A', 'RUN make'], ['ARG A', 'RUN |1 A= /bin/sh -c make # buildkit']],
  ['RUN after ARG and then ENV of its name', ['ARG A=1', 'ENV A=2', 'RUN make'], ['ARG A=1', 'ENV A=2', 'RUN |1 A=2 /bin/sh -c make # buildkit']],
  ['RUN after ENV and then ARG of its name', ['ENV A=2', 'ARG A=1', 'RUN make'], ['ENV A=2', 'ARG A=1', 'RUN |1 A=1 /bin/sh -c make # buildkit']],
  ['RUN in exec form after ARG', ['ARG A=1', 'RUN ["make"]'], ['ARG A=1', 'RUN |1 A=1 make # buildkit']],
  ['ARG declared twice', ['ARG A=1', 'ARG A=2', 'RUN make'], ['ARG A=1', 'ARG A=2', 'RUN |1 A=2 /bin/sh -c make # buildkit']],
  ['several ARGs on a line', ['ARG A=1 B=$A C'], ['ARG A=1 B=1 C']],
  ['RUN with SHELL', ['SHELL ["/bin/bash", "-ec"]', 'RUN make'], ['SHELL [/bin/bash -ec]', 'RUN /bin/bash -ec make # buildkit']],
  ['RUN with a heredoc alone', ['RUN <<EOF', 'a', 'b', 'EOF'], ['RUN /bin/sh -c a\nb\n # buildkit']],
  ['RUN with a heredoc for a program', ['RUN cat <<EOF > /x', 'a', 'EOF'], ['RUN /bin/sh -c cat <<EOF > /x\na\nEOF # buildkit']],
  ['RUN with a script', ['RUN <<EOF', '#!/usr/bin/env python3', 'EOF'], ['RUN /bin/sh -c /dev/pipes/EOF # buildkit']],
  ['RUN options are not told', ['RUN --network=none --mount=type=cache,target=/c make'], ['RUN /bin/sh -c make # buildkit']],
  ['COPY', ['COPY a b /c/'], ['COPY a b /c/ # buildkit']],
  ['COPY in JSON form', ['COPY ["a b", "/c"]'], ['COPY a b /c # buildkit']],
  ['COPY with flags', ['COPY --link --chmod=755 --chown=1:2 a /c'], ['COPY --chown=1:2 --chmod=755 a /c # buildkit']],
  ['COPY --parents', ['COPY --parents a/b /c'], ['COPY --parents a/b /c # buildkit']],
  ['COPY of heredocs', ['COPY <<A <<B /c/', '1', 'A', '2', 'B'], ['COPY <<A <<B /c/ # buildkit']],
  ['COPY with variables', ['ENV d=/x', 'COPY $d/a ${d}/'], ['ENV d=/x', 'COPY /x/a /x/ # buildkit']],
  ['ADD', ['ADD http://example.com/x /x'], ['ADD http://example.com/x /x # buildkit']],
  ['ADD with a checksum', ['ADD --checksum=sha256:24454f830cdb571e2c4ad15481119c43b3cafd48dd869a9b2945d1036d1dc68d http://example.com/x /x'], ['ADD http://example.com/x /x # buildkit']],
  ['ENV', ['ENV a=1 b="2 3"'], ['ENV a=1 b=2 3']],
  ['ENV in the old form', ['ENV a 1  2'], ['ENV a=1  2']],
  ['ENV that refers to a neighbour', ['ENV a=1', 'ENV a=2 b=$a'], ['ENV a=1', 'ENV a=2 b=1']],
  ['LABEL', ['LABEL a=1 "b c"=2'], ['LABEL a=1 b c=2']],
  ['MAINTAINER', ['MAINTAINER me <me@example.com>'], ['MAINTAINER me <me@example.com>']],
  ['USER', ['USER 1000:1000'], ['USER 1000:1000']],
  ['WORKDIR', ['WORKDIR /abs'], ['WORKDIR /abs']],
  ['WORKDIR with a slash at its end', ['WORKDIR /abs/'], ['WORKDIR /abs/']],
  ['WORKDIR relative', ['WORKDIR /abs', 'WORKDIR ../rel/'], ['WORKDIR /abs', 'WORKDIR /rel']],
  ['WORKDIR of the root', ['WORKDIR /'], ['WORKDIR /']],
  ['EXPOSE', ['EXPOSE 80 443/udp'], ['EXPOSE [443/udp 80/tcp]']],
  ['EXPOSE of a range', ['EXPOSE 8000-8002/TCP'], ['EXPOSE [8000/tcp 8001/tcp 8002/tcp]']],
  ['VOLUME', ['VOLUME /b /a'], ['VOLUME [/b /a]']],
  ['VOLUME in JSON form', ['VOLUME ["/a b"]'], ['VOLUME [/a b]']],
  ['STOPSIGNAL', ['STOPSIGNAL SIGQUIT'], ['STOPSIGNAL SIGQUIT']],
  ['CMD in exec form', ['CMD ["a", "b \\"c\\""]'], ['CMD ["a" "b \\"c\\""]']],
  ['CMD in shell form', ['CMD echo "hi"'], ['CMD ["/bin/sh" "-c" "echo \\"hi\\""]']],
  ['CMD of nothing', ['CMD []'], ['CMD []']],
  ['ENTRYPOINT', ['ENTRYPOINT ["a"]'], ['ENTRYPOINT ["a"]']],
  ['ENTRYPOINT of nothing', ['ENTRYPOINT []'], ['ENTRYPOINT []']],
  ['HEALTHCHECK', ['HEALTHCHECK --interval=90s --timeout=1500ms --retries=3 CMD curl x'], ['HEALTHCHECK {Test:[CMD-SHELL curl x] Interval:1m30s Timeout:1.5s StartPeriod:0s StartInterval:0s Retries:3}']],
  ['HEALTHCHECK NONE', ['HEALTHCHECK NONE'], ['HEALTHCHECK {Test:[NONE] Interval:0s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}']],
  ['ONBUILD gives no entry', ['ONBUILD RUN make'], []],
];

for (const [what, lines, expected] of table) {
  test(`history: ${what}`, () => assert.deepEqual(historyLines(scratch(...lines)), expected));
}

test('entries that make a layer are RUN, COPY, ADD and WORKDIR, but for WORKDIR /', () => {
  const { history } = planFile(scratch('WORKDIR /', 'WORKDIR /a', 'RUN x', 'COPY a b', 'ADD a b', 'ENV a=1', 'USER 1'));
  assert.deepEqual(
    history.map(({ empty_layer }) => empty_layer ?? false),
    [true, false, false, false, false, true, true],
  );
  assert.ok(history.every(({ comment }) => comment === 'buildkit.dockerfile.v0'));
});

test('a stage FROM a stage keeps its arguments in the history of RUN', () => {
  assert.deepEqual(historyLines('FROM scratch AS a\nARG A=1\nFROM a\nARG B=2\nRUN make\n'), ['ARG A=1', 'ARG B=2', 'RUN |2 A=1 B=2 /bin/sh -c make # buildkit']);
});

test('proxy arguments stay out of the history unless they are declared', () => {
  const buildArgs = { HTTP_PROXY: 'http://p' };
  assert.deepEqual(historyLines(scratch('RUN x'), { buildArgs }), ['RUN /bin/sh -c x # buildkit']);
  assert.deepEqual(historyLines(scratch('ARG HTTP_PROXY', 'RUN x'), { buildArgs }).at(-1), 'RUN |1 HTTP_PROXY=http://p /bin/sh -c x # buildkit');
});
