/** Whole Dockerfiles: the published vectors for typed instructions and for what must be refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../base/errors.ts';
import { readCases, runCases } from '../oci/vectors.suite.ts';
import { DockerfileError } from './errors.ts';
import { bodyOf } from './heredoc.ts';
import { parseDockerfile } from './parse.ts';
import { parseTrigger } from './parse-instruction.ts';

test('typed instructions hold the vectors of buildkit', (t) => {
  const cases = readCases(t, 'buildkit-instruction-heredoc.json');
  if (!cases) return;
  runCases(t, cases, ({ input, expect }) => {
    const instruction = parseDockerfile(input.text).stages[0]!.instructions[0]!;
    if (expect.copy) {
      assert.ok(instruction.kind === 'copy');
      const contents = instruction.heredocs.map((heredoc) => ({ Path: heredoc.name, Data: bodyOf(heredoc), Expand: heredoc.expand }));
      assert.deepEqual({ dest: instruction.destination, sources: instruction.sources, contents }, { dest: expect.copy.DestPath, sources: expect.copy.SourcePaths ?? [], contents: expect.copy.SourceContents ?? [] });
      return;
    }
    assert.ok(instruction.kind === 'run');
    const { command } = instruction;
    assert.equal(command.form === 'shell', expect.shell);
    if (command.form === 'exec') return assert.deepEqual(command.args, expect.command);
    assert.deepEqual([command.text], expect.command);
    const files = (expect.files ?? []).map(({ Name, Data, Chomp }: any) => [Name, Data, Chomp ?? false]);
    assert.deepEqual(command.heredocs.map(({ name, content, chomp }) => [name, content, chomp]), files);
  });
});

test('files that must be refused hold the vectors of buildkit', (t) => {
  const cases = readCases(t, 'buildkit-instruction-errors.json');
  if (!cases) return;
  runCases(t, cases, ({ input, expect }) => {
    assert.throws(() => parseDockerfile(input.text), (error: Error) => isSiruError(error) && error.code === 'DOCKERFILE' && error.message.includes(expect.message_contains));
  });
});

const dockerfileText = fc.array(fc.oneof(
  fc.constantFrom('FROM a AS b', 'FROM scratch', 'RUN ', 'COPY ', 'ADD --chown=1 ', 'ENV ', 'ARG a=b', 'ONBUILD ', 'HEALTHCHECK ', 'LABEL a b', '\n', '\n', '\n', '\\\n', ' ', '<<E', '<<-"E"', '\nE\n', '["a", "b"]', '[', '--mount=type=cache,target=/x ', '--x=', '#', '# escape=`\n', '`\n', '"', "'", '=', '$A', '\t', '\r\n'),
  fc.string({ maxLength: 5 }),
), { maxLength: 40 }).map((parts) => parts.join(''));

test('no text makes the parser throw anything but DOCKERFILE with a place', () => {
  fc.assert(fc.property(dockerfileText, (text) => {
    try {
      parseDockerfile(text);
    } catch (error) {
      assert.ok(error instanceof DockerfileError, String(error));
    }
  }), { numRuns: 3000 });
});

test('no bytes make the parser throw anything but DOCKERFILE', () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
    try {
      parseDockerfile(bytes);
    } catch (error) {
      assert.ok(error instanceof DockerfileError, String(error));
    }
  }));
});

test('hostile lines end soon', () => {
  const begin = performance.now();
  for (const text of [
    `# syntax=${'a '.repeat(30_000)}x`, `FROM a\nRUN ${' \\'.repeat(30_000)}`, `FROM a\nRUN ${'\r'.repeat(60_000)}x`, `FROM a\nENV ${'"'.repeat(60_001)}`,
    `FROM a\nRUN ${'<<A '.repeat(15_000)}`, `FROM a\n${'ONBUILD '.repeat(8000)}`, `FROM a\nCMD ${'['.repeat(60_000)}`, `FROM a\nHEALTHCHECK --interval=${'1'.repeat(60_000)} CMD a`,
    `FROM a\nRUN --mount=${'"'.repeat(60_000)} x`, `FROM a\n${'RUN a \\\n'.repeat(200_000)}`, `${' '.repeat(60_000)}x\n`,
  ]) {
    try {
      parseDockerfile(text);
    } catch (error) {
      assert.ok(error instanceof DockerfileError, String(error));
    }
  }
  assert.ok(performance.now() - begin < 5000, `${performance.now() - begin} ms`);
});

test('an error shows its place as docker does', () => {
  assert.throws(() => parseDockerfile('FROM scratch\n\nCOPPY a b\n', 'app/Dockerfile'), (error) => {
    assert.ok(error instanceof DockerfileError);
    assert.equal(error.message, [
      'dockerfile parse error on line 3: unknown instruction: COPPY (did you mean COPY?)', '',
      'app/Dockerfile:3', '--------------------', '  1 |     FROM scratch', '  2 |', '  3 | >>> COPPY a b', '--------------------',
    ].join('\n'));
    assert.equal(error.reason, 'unknown instruction: COPPY (did you mean COPY?)');
    assert.deepEqual(error.lines, { start: 3, end: 3 });
    return true;
  });
});

test('what is refused, and what is said', () => {
  const cases: [line: string, message: RegExp][] = [
    ['FROM', /either one or three arguments/],
    ['FROM a AS 1b', /invalid name for build stage/],
    ['FROM a IN b', /either one or three arguments/],
    ['RUN []', /RUN requires at least one argument/],
    ['RUN --mount=type=cach,target=/x a', /unsupported mount type "cach" \(did you mean cache\?\)/],
    ['RUN --mount=targte=/x a', /unexpected key "targte" in "targte=\/x" \(did you mean target\?\)/],
    ['RUN --mount=target a', /must be a key=value pair/],
    ['RUN --mount=type=bind,required a', /unexpected key 'required' for mount type 'bind'/],
    ['RUN --mount=type=tmpfs,target=/x,mode=0700 a', /unexpected key 'mode'/],
    ['RUN --mount=type=cache,target=/x,from=$A a', /doesn't support variable expansion/],
    ['RUN --network=hots a', /unsupported network mode "hots" \(did you mean host\?\)/],
    ['COPY --form=a b c', /unknown flag: --form \(did you mean --from\?\)/],
    ['COPY --from=a --from=b c d', /duplicate flag specified: --from/],
    ['COPY --link= a b', /missing a value on flag: --link/],
    ['COPY --link=maybe a b', /expecting boolean value/],
    ['COPY --chown a b', /missing a value on flag: --chown/],
    ['COPY <<EOF', /requires at least two arguments, but only one|unterminated/],
    ['RUN cat <<EOF', /unterminated heredoc/],
    ['SHELL /bin/sh', /SHELL requires the arguments to be in JSON form/],
    ['HEALTHCHECK NONE a', /takes no arguments/],
    ['HEALTHCHECK --interval=5 CMD a', /invalid duration/],
    ['HEALTHCHECK --interval=5us CMD a', /cannot be less than 1ms/],
    ['HEALTHCHECK --retries=-1 CMD a', /cannot be negative/],
    ['ENV a', /must have two arguments/],
    ['ENV a=b c', /can't find = in "c"/],
    ['ARG =b', /names can not be blank/],
    ['VOLUME [""]', /can not be an empty string/],
    ['ONBUILD ENV a', /must have two arguments/],
    ['CMD [1]', /strings only/],
  ];
  for (const [line, message] of cases) assert.throws(() => parseDockerfile(`FROM x\n${line}`), message, line);
  assert.throws(() => parseDockerfile('RUN a'), /no build stage in current context/);
  assert.throws(() => parseDockerfile('ARG a'), /no stages to build/);
  assert.throws(() => parseDockerfile('# escape=x\nFROM a'), /invalid escape token/);
  assert.throws(() => parseDockerfile('# escape=`\n# escape=`\nFROM a'), /only one escape parser directive/);
  assert.throws(() => parseDockerfile(Buffer.from([0xff, 0xfe, 70, 0])), /UTF-16/);
});

test('traps of the language', () => {
  const of = (line: string) => parseDockerfile(`FROM x\n${line}`).stages[0]!.instructions;
  const one = (line: string): any => of(line)[0];
  assert.deepEqual(one('ENV a b=c d').pairs, [{ key: 'a', value: 'b=c d', legacy: true }]);
  assert.deepEqual(one('ENV a="b c" d=\\"').pairs, [{ key: 'a', value: '"b c"' }, { key: 'd', value: '\\"' }]);
  assert.deepEqual(one("CMD ['a', 'b']").command, { form: 'shell', text: "['a', 'b']", heredocs: [] });
  assert.deepEqual(one('CMD').command, { form: 'shell', text: '', heredocs: [] });
  assert.deepEqual(one('ENTRYPOINT []').command, { form: 'exec', args: [] });
  assert.deepEqual(one('COPY --chown=a:b --from="x" -- --odd /d'), { ...one('COPY --chown=a:b --from="x" -- --odd /d'), sources: ['--odd'], destination: '/d', chown: 'a:b', from: 'x' });
  assert.throws(() => of('COPY <<"one two" /d\nx\none two'), /looking for matching double-quote/);
  assert.deepEqual(one('COPY <<E <<"E" /d\n1\nE\n2\nE').heredocs.map((doc: any) => [doc.content, doc.expand]), [['2\n', true], ['2\n', false]]);
  assert.deepEqual(one('COPY ["<<E", "/d"]').heredocs.map((doc: any) => doc.content), ['']);
  assert.deepEqual(one('ONBUILD FOO  bar '), { ...one('ONBUILD FOO  bar '), kind: 'onbuild', expression: 'FOO  bar ' });
  assert.equal('instruction' in one('ONBUILD FOO bar'), false);
  assert.equal(one('HEALTHCHECK --interval=x NONE').command, undefined);
  assert.deepEqual(one('RUN').command, { form: 'shell', text: '', heredocs: [] });
  assert.deepEqual(one('RUN --mount=type=cache,target=/a,RO --mount=target=/b,rw=true a').mounts, [
    [{ key: 'type', value: 'cache' }, { key: 'target', value: '/a' }, { key: 'ro' }],
    [{ key: 'target', value: '/b' }, { key: 'rw', value: 'true' }],
  ]);
  assert.deepEqual(of('RUN a \\\n# comment\n\n  && b\nRUN c').map(({ lines, source }) => [lines, source]), [[{ start: 2, end: 5 }, 'RUN a && b'], [{ start: 6, end: 6 }, 'RUN c']]);
  assert.equal(one('RUN a \\\n# comment\n  && b').command.text, 'a   && b');
  assert.equal(one('RUN foo\\\\').command.text, 'foo\\\\');
  assert.equal(one('RUN go\\\nod').source, 'RUN good');
  assert.deepEqual([one('ONBUILD FOO x').expression, one('ONBUILD FOO x').instruction], ['FOO x', undefined]);
  const onbuild = one('ONBUILD RUN --network=none cat <<A\nx\nA');
  assert.equal(onbuild.expression, 'RUN --network=none cat <<A\nx\nA');
  assert.equal(onbuild.instruction.network, 'none');
  assert.deepEqual(parseTrigger(onbuild.expression, 'trigger'), { ...onbuild.instruction, lines: { start: 1, end: 3 } });
  const health = one('HEALTHCHECK --interval=1m30s --timeout=500ms --retries=0 CMD ["a"]');
  assert.deepEqual([health.interval, health.timeout, health.retries, health.command], [90e9, 5e8, 0, { form: 'exec', args: ['a'] }]);
  assert.equal(one('HEALTHCHECK NONE').command, undefined);
  const documented = parseDockerfile('# A the first\n# other\nARG A=1\n\n# lost\n\nARG B\nFROM x');
  assert.deepEqual(documented.globalArgs.map(({ args }) => args), [[{ name: 'A', value: '1', doc: 'the first' }], [{ name: 'B' }]]);
  const crlf = parseDockerfile('FROM x\r\nRUN a \\\r\n  b\r\n');
  assert.equal((crlf.stages[0]!.instructions[0] as any).command.text, 'a   b');
  assert.equal(parseDockerfile('\ufeffFROM x').stages[0]!.from.image, 'x');
});
