import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isSiruError } from '../../base/errors.ts';
import { copySteps, planFile, runSteps, type PlanFileOptions } from './whole-file.suite.ts';

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const scratch = (...lines: string[]): string => `${['FROM scratch', ...lines].join('\n')}\n`;
const image = (...lines: string[]): string => `${['FROM base', ...lines].join('\n')}\n`;

function refused(text: string, message: RegExp, options?: PlanFileOptions): void {
  assert.throws(
    () => planFile(text, options),
    (error) => isSiruError(error) && message.test(error.message),
  );
}

const environment = (text: string, options?: PlanFileOptions): string[] => runSteps(text, options).at(-1)!.env.filter((variable) => !variable.startsWith('PATH='));

test('ARG: --build-arg, then the default, then the global value', () => {
  const text = 'ARG A=global\nFROM scratch\nARG A=default\nRUN x\n';
  assert.deepEqual(environment(text), ['A=default']);
  assert.deepEqual(environment(text, { buildArgs: { A: 'given' } }), ['A=given']);
  assert.deepEqual(environment('ARG A=global\nFROM scratch\nARG A\nRUN x\n'), ['A=global']);
  assert.deepEqual(environment('ARG A=global\nFROM scratch\nRUN x\n'), []);
});

test('ARG without any value is not set and keeps an ENV', () => {
  assert.deepEqual(environment(scratch('ARG A', 'RUN x')), []);
  assert.deepEqual(environment(scratch('ENV A=1', 'ARG A', 'RUN x')), ['A=1']);
});

test('ARG: the default of an argument that --build-arg replaces is not even expanded', () => {
  assert.deepEqual(environment(scratch('ARG A=${B:?missing}', 'RUN x'), { buildArgs: { A: '1' } }), ['A=1']);
  refused(scratch('ARG A=${B:?missing}', 'RUN x'), /missing/);
});

test('ARG after ENV wins for RUN and expansion, and the image keeps the ENV', () => {
  const { state, steps } = planFile(scratch('ENV A=env', 'ARG A=arg', 'RUN x', 'LABEL l=$A'));
  const [run] = steps;
  assert.ok(run?.kind === 'run');
  assert.ok(run.env.includes('A=arg') && !run.env.includes('A=env'));
  assert.deepEqual(run.argumentNames, ['A']);
  assert.ok(state.config.Env!.includes('A=env'));
  assert.equal(state.config.Labels!.l, 'arg');
});

test('ENV after ARG wins everywhere', () => {
  const [run] = runSteps(scratch('ARG A=arg', 'ENV A=env', 'RUN x'));
  assert.ok(run!.env.includes('A=env'));
  assert.deepEqual(run!.argumentNames, []);
});

test('FROM a stage applies its ENV anew: an ARG of that stage no longer overrides it', () => {
  assert.deepEqual(environment('FROM scratch AS a\nENV A=env\nARG A=arg\nARG B=b\nFROM a\nRUN x\n'), ['A=env', 'B=b']);
});

test('ENV words of one instruction see the values from before it, ARG words those to their left', () => {
  assert.deepEqual(environment(scratch('ENV a=old', 'ENV a=new b=$a', 'RUN x')), ['a=new', 'b=old']);
  assert.deepEqual(environment(scratch('ARG a=new b=$a', 'RUN x')), ['a=new', 'b=new']);
});

test('ENV replaces in place, else appends; PATH is always there', () => {
  assert.deepEqual(planFile(image('ENV A=2 C=3'), { images: { base: { Env: ['A=1', 'B=2'] } } }).state.config.Env, ['A=2', 'B=2', path, 'C=3']);
  assert.deepEqual(planFile(image('ENV A=2'), { images: { base: { Env: ['PATH=/mine'] } } }).state.config.Env, ['PATH=/mine', 'A=2']);
});

test('automatic arguments have to be declared, and --build-arg wins over them', () => {
  const text = scratch('ARG TARGETARCH TARGETVARIANT BUILDPLATFORM TARGETSTAGE', 'RUN x');
  assert.deepEqual(environment(text), ['TARGETARCH=amd64', 'TARGETVARIANT=', 'BUILDPLATFORM=linux/amd64', 'TARGETSTAGE=default']);
  assert.ok(environment(text, { buildArgs: { TARGETARCH: 'z80' } }).includes('TARGETARCH=z80'));
  assert.deepEqual(environment(scratch('RUN x')), []);
});

test('scratch begins with WORKDIR / and a PATH', () => {
  assert.deepEqual(planFile(scratch()).state.config, { WorkingDir: '/', Env: [path] });
});

test('a base gives its user, directory, shell and author; triggers and unknown members stay behind', () => {
  const config = { User: 'u', WorkingDir: 'rel', Shell: ['/bin/ash', '-c'], OnBuild: [], Memory: 5 };
  const { state, steps } = planFile(image('RUN x'), { images: { base: config } });
  assert.deepEqual(state.config, { User: 'u', WorkingDir: '/rel', Shell: ['/bin/ash', '-c'], Env: [path] });
  assert.ok(steps[0]?.kind === 'run');
  assert.deepEqual([steps[0].user, steps[0].cwd, steps[0].args], ['u', '/rel', ['/bin/ash', '-c', 'x']]);
});

test('ENTRYPOINT drops a CMD of the base or of the parent stage, and keeps one of its own stage', () => {
  const images = { base: { Cmd: ['old'] } };
  assert.equal(planFile(image('ENTRYPOINT ["e"]'), { images }).state.config.Cmd, null);
  assert.deepEqual(planFile(image('CMD ["new"]', 'ENTRYPOINT ["e"]'), { images }).state.config.Cmd, ['new']);
  assert.equal(planFile('FROM scratch AS a\nCMD ["old"]\nFROM a\nENTRYPOINT ["e"]\n').state.config.Cmd, null);
  assert.deepEqual(planFile(image('ENTRYPOINT ["e"]', 'CMD ["new"]'), { images }).state.config.Cmd, ['new']);
});

test('CMD and ENTRYPOINT in shell form take the SHELL of that point', () => {
  const { config } = planFile(scratch('CMD a', 'SHELL ["/bin/bash", "-c"]', 'ENTRYPOINT b')).state;
  assert.deepEqual(config.Entrypoint, ['/bin/bash', '-c', 'b']);
  const cmd = planFile(scratch('CMD a $HOME')).state.config;
  assert.deepEqual(cmd.Cmd, ['/bin/sh', '-c', 'a $HOME']);
  assert.equal(cmd.ArgsEscaped, true);
  assert.deepEqual(planFile(scratch("CMD ['a']")).state.config.Cmd, ['/bin/sh', '-c', "['a']"], 'JSON with single quotes is shell form');
});

test('HEALTHCHECK replaces the whole earlier one', () => {
  const { config } = planFile(scratch('HEALTHCHECK --interval=5s --retries=2 CMD a', 'HEALTHCHECK --timeout=1s CMD ["b"]')).state;
  assert.deepEqual(config.Healthcheck, { Test: ['CMD', 'b'], Timeout: 1_000_000_000 });
  assert.deepEqual(planFile(scratch('HEALTHCHECK NONE')).state.config.Healthcheck, { Test: ['NONE'] });
});

test('EXPOSE merges with the base, takes ranges, protocols and variables, and refuses nonsense', () => {
  const { config } = planFile(image('ENV p="80 81/udp"', 'EXPOSE $p 8000-8001'), { images: { base: { ExposedPorts: { '1/tcp': {} } } } }).state;
  assert.deepEqual(Object.keys(config.ExposedPorts!).toSorted(), ['1/tcp', '80/tcp', '8000/tcp', '8001/tcp', '81/udp']);
  for (const port of ['0.0.0.0:1234-1235:3333-3334/tcp', '[2001:4860:0:2001::68]::333', '::1:80:80', '::::80', '65535', '1234:80']) {
    assert.doesNotThrow(() => planFile(scratch(`EXPOSE ${port}`)), port);
  }
  for (const port of ['80/http', '65536', '9-8', 'x', '/tcp', 'localhost:1:1', '1-2:3-5', '1-']) refused(scratch(`EXPOSE ${port}`), /EXPOSE/);
  assert.deepEqual(planFile(scratch('EXPOSE 80/TCP 1:2')).warnings.map((warning) => warning.split(':')[0]), ['ExposeInvalidFormat', 'ExposeProtoCasing']);
});

test('VOLUME, LABEL, USER, MAINTAINER and STOPSIGNAL are written down', () => {
  const { state } = planFile(image('VOLUME /b', 'LABEL b=2 a=3', 'USER u:g', 'MAINTAINER m', 'STOPSIGNAL 9'), { images: { base: { Volumes: { '/a': {} }, Labels: { a: '1' } } } });
  const { Volumes, Labels, User, StopSignal } = state.config;
  assert.deepEqual({ Volumes, Labels, User, StopSignal }, { Volumes: { '/a': {}, '/b': {} }, Labels: { a: '3', b: '2' }, User: 'u:g', StopSignal: '9' });
  assert.equal(state.author, 'm');
});

test('STOPSIGNAL is checked and kept as it is written', () => {
  for (const signal of ['SIGTERM', 'term', 'KILL', 'SIGRTMIN+3', 'RTMAX-14', '37']) assert.equal(planFile(scratch(`STOPSIGNAL ${signal}`)).state.config.StopSignal, signal);
  for (const signal of ['SIGNOPE', '0', 'RTMIN+16']) refused(scratch(`STOPSIGNAL ${signal}`), /invalid signal/);
});

test('ONBUILD is kept as text, fires in a child stage, and not in a grandchild', () => {
  const text = 'FROM scratch AS a\nONBUILD ENV X=1\nONBUILD RUN <<EOF\nmake\nEOF\n';
  assert.equal(planFile(text).state.config.OnBuild!.length, 2);
  const child = planFile(`${text}FROM a AS b\nENV Y=2\n`);
  assert.deepEqual(child.history.map(({ created_by }) => created_by), ['ENV X=1', 'RUN /bin/sh -c make\n # buildkit', 'ENV Y=2']);
  assert.equal(child.state.config.OnBuild, undefined);
  assert.deepEqual(planFile(`${text}FROM a AS b\nFROM b\n`).history.map(({ created_by }) => created_by), ['ENV X=1', 'RUN /bin/sh -c make\n # buildkit']);
});

test('triggers of a base image fire at the line of FROM, and bad ones are told there', () => {
  const { advances } = planFile(`# a\n${image('ENV a=1')}`, { images: { base: { OnBuild: ['COPY a b'] } } });
  assert.deepEqual([advances[0]!.text, advances[0]!.lines.start], ['COPY a b', 2]);
  for (const trigger of ['ONBUILD RUN x', 'NOPE', 'FROM a', 'RUN a\nRUN b']) refused(image(), /ONBUILD/, { images: { base: { OnBuild: [trigger] } } });
});

test('WORKDIR is relative to the one before, and its directories belong to USER', () => {
  const { steps, state } = planFile(image('USER u', 'WORKDIR b', 'WORKDIR ../c/'), { images: { base: { WorkingDir: '/a' } } });
  assert.deepEqual(steps, [
    { kind: 'workdir', path: '/a/b', user: 'u' },
    { kind: 'workdir', path: '/a/c', user: 'u' },
  ]);
  assert.equal(state.config.WorkingDir, '/a/c');
});

test('a relative WORKDIR is warned of once, until an absolute one', () => {
  const count = (text: string): number => planFile(text).warnings.filter((warning) => warning.startsWith('WorkdirRelativePath')).length;
  assert.equal(count(scratch('WORKDIR a', 'WORKDIR b')), 1);
  assert.equal(count(scratch('WORKDIR /a', 'WORKDIR b')), 0);
  assert.equal(count('FROM scratch AS a\nWORKDIR /a\nFROM a\nWORKDIR b\n'), 0);
});

test('COPY: words are expanded, the destination is absolute and keeps its slash', () => {
  const at = (workdir: string, destination: string): string => copySteps(scratch(`WORKDIR ${workdir}`, `COPY a ${destination}`)).at(-1)!.destination;
  assert.deepEqual(
    ['b', 'b/', '.', './', '../c', '/d', '/d/', '/'].map((destination) => at('/w', destination)),
    ['/w/b', '/w/b/', '/w/', '/w/', '/c', '/d', '/d/', '/'],
  );
  assert.equal(at('/', '.'), '/');
  const [copy] = copySteps(scratch('ENV v=1 w=2', 'COPY --chown=$v:$w --exclude=$v/* a$v "b$w" /c$v/'));
  assert.deepEqual([copy!.sources, copy!.destination, copy!.chown, copy!.exclude], [['a1', 'b2'], '/c1/', '1:2', ['$v/*']]);
});

test('COPY does not follow USER, and --chmod puts --link out of force', () => {
  assert.equal(copySteps(scratch('USER u', 'COPY a b'))[0]!.chown, undefined);
  assert.equal(copySteps(scratch('COPY --link a b'))[0]!.link, true);
  const [copy] = copySteps(scratch('COPY --link --chmod=644 a b'));
  assert.deepEqual([copy!.link, copy!.chmod], [false, '644']);
});

test('COPY expands the body of an unquoted heredoc and leaves quotes in it alone', () => {
  const [copy] = copySteps(scratch('ENV v=1', `COPY <<A <<"B" /c/`, `"$v" '$v' \\$v`, 'A', '$v', 'B'));
  assert.deepEqual(copy!.inline, [
    { name: 'A', content: `"1" '1' $v\n` },
    { name: 'B', content: '$v\n' },
  ]);
});

test('COPY refuses URLs and git sources, ADD a checksum of several or local sources', () => {
  refused(scratch('COPY https://example.com/x /'), /URL for COPY/);
  refused(scratch('COPY https://example.com/x.git /'), /git ref for COPY/);
  refused(scratch('COPY git@example.com:x/y /'), /git ref for COPY/);
  const sum = `--checksum=sha256:${'0'.repeat(64)}`;
  refused(scratch(`ADD ${sum} a /`), /checksum requires/);
  refused(scratch(`ADD ${sum} http://a/b http://a/c /`), /multiple sources/);
});

test('COPY --from: position, stage name in any case, image; no variables, no later stage, not itself', () => {
  const from = (name: string): object => copySteps(`FROM scratch AS first\nFROM scratch AS second\nCOPY --from=${name} a b\n`)[0]!.from;
  assert.deepEqual(from('0'), { type: 'stage', index: 0 });
  assert.deepEqual(from('First'), { type: 'stage', index: 0 });
  assert.deepEqual(from('alpine:3'), { type: 'image', reference: 'alpine:3' });
  refused('FROM scratch\nCOPY --from=7 a b\n', /invalid stage index 7/);
  refused('FROM scratch\nENV v=1\nCOPY --from=$v a b\n', /variable expansion is not supported for --from/);
  refused('FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\nFROM a\n', /needs to be defined before current stage "a"/);
  refused('FROM scratch AS a\nCOPY --from=a x y\n', /circular dependency/);
  refused('FROM scratch\nCOPY --from=0 x y\n', /circular dependency/);
  refused('FROM scratch AS a\nCOPY --from=b x y\nFROM scratch AS b\nCOPY --from=a x y\n', /circular dependency/);
  refused('FROM scratch\nCOPY --from=NOT/Valid x y\n', /neither a stage nor an image/);
});

test('RUN: shell form, exec form, heredocs', () => {
  const args = (...lines: string[]): string[] => runSteps(scratch(...lines))[0]!.args;
  assert.deepEqual(args('RUN echo "$A" \\', '# comment', '  x'), ['/bin/sh', '-c', 'echo "$A"   x']);
  assert.deepEqual(args('RUN ["echo", "$A"]'), ['echo', '$A']);
  assert.deepEqual(args('RUN <<EOF', 'a', 'b', 'EOF'), ['/bin/sh', '-c', 'a\nb\n']);
  assert.deepEqual(args('RUN <<EOF bash', 'a', 'EOF'), ['/bin/sh', '-c', '<<EOF bash\na\nEOF']);
  assert.deepEqual(args('RUN cat <<A >x && cat <<B >y', '1', 'A', '2', 'B'), ['/bin/sh', '-c', 'cat <<A >x && cat <<B >y\n1\nA\n2\nB']);
});

test('RUN of a heredoc that begins with #! is a script', () => {
  const [run] = runSteps(scratch('RUN <<EOF', '#!/usr/bin/env python3', 'print(1)', 'EOF'));
  assert.deepEqual(run!.script, { name: 'EOF', content: '#!/usr/bin/env python3\nprint(1)\n' });
  assert.equal(run!.args.at(-1), '/dev/pipes/EOF');
});

test('RUN: network and security', () => {
  const run = (flags: string, options?: PlanFileOptions) => runSteps(scratch(`RUN ${flags} x`), options)[0]!;
  assert.deepEqual([run('').network, run('--network=none').network, run('--network=host').network], ['default', 'none', 'host']);
  assert.equal(run('', { scope: { network: 'none' } }).network, 'none');
  assert.equal(run('--security=insecure').security, 'insecure');
  refused(scratch('RUN --network=bridge x'), /network/);
});

test('RUN sees proxies in both spellings, and they are not part of the key', () => {
  const [run] = runSteps(scratch('RUN x'), { buildArgs: { http_proxy: 'p' } });
  assert.deepEqual(run!.env, [path]);
  assert.deepEqual(run!.proxyEnv, ['HTTP_PROXY=p', 'http_proxy=p']);
});

test('BUILDKIT_SBOM_SCAN_STAGE is for the builder, not for RUN', () => {
  assert.deepEqual(environment(scratch('ARG BUILDKIT_SBOM_SCAN_STAGE=true', 'RUN x')), []);
});

test('undefined variables are warned of, with the name that was probably meant', () => {
  const { warnings } = planFile(scratch('ENV VERSION=1', 'LABEL a=$VERSON b=$VERSON c=$XYZZY', 'ARG LATER', 'LABEL d=$LATER'));
  assert.deepEqual(warnings, ["UndefinedVar: Usage of undefined variable '$VERSON' (did you mean $VERSION?)", "UndefinedVar: Usage of undefined variable '$XYZZY'"]);
});

test('the text for people is expanded outside of commands, keeps quotes, and hides secrets', () => {
  const texts = planFile(scratch('ENV v=1', 'copy "a$v" /$v', 'RUN --mount=type=secret,id=s,env=v echo "$v $unset"', 'CMD echo $v', 'RUN <<EOF', 'one', 'two', 'EOF')).advances.map(({ text }) => text);
  assert.deepEqual(texts.slice(1), ['COPY "a1" /1', 'RUN --mount=type=secret,id=s,env=v echo "**** $unset"', 'CMD echo $v', 'RUN <<EOF (one...)']);
});

test('whatever the words are, planning gives a result or an error with a place', () => {
  const word = fc.oneof(fc.constantFrom('$A', '${A:-$B}', '"', "'", '/', '..', '80', '<<E', '=', 'type=cache', '--from=0', '\\'), fc.string({ maxLength: 6 }));
  const line = fc.tuple(fc.constantFrom('ARG', 'ENV', 'RUN', 'COPY', 'ADD', 'EXPOSE', 'WORKDIR', 'USER', 'VOLUME', 'LABEL', 'STOPSIGNAL', 'ONBUILD RUN', 'RUN --mount=target=', 'FROM'), fc.array(word, { maxLength: 4 }));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 6 }), (lines) => {
      try {
        planFile(scratch(...lines.map(([name, words]) => `${name} ${words.join(' ')}`.replace(/[\n\r]/g, ' '))));
      } catch (error) {
        assert.ok(isSiruError(error), String(error));
        assert.match(error.message, /Dockerfile/);
      }
    }),
    { numRuns: 2000 },
  );
});

test('a step is shown as it is written but for the values of variables', () => {
  const shown = (text: string): string => planFile(`FROM scratch\nENV A=one\n${text}\n`).advances.at(-1)!.text;
  assert.equal(shown('RUN echo "\\t" a\\\\b $A "${A}" \\$A \'$A\' ${B:-two}'), 'RUN echo "\\t" a\\\\b one "one" \\$A \'$A\' ${B:-two}');
  assert.equal(shown('COPY a\\ b $A'), 'COPY a\\ b one');
});

test('paths of a Windows image: either slash, C: or no drive, and backslashes in its WORKDIR', () => {
  const plan = (...lines: string[]): ReturnType<typeof planFile> => planFile(`# escape=\`\n${scratch(...lines)}`, { targetPlatform: { os: 'windows', architecture: 'amd64' } });
  const places = (...lines: string[]): string[] => plan(...lines).steps.map((step) => (step.kind === 'copy' ? step.destination : step.kind === 'workdir' ? step.path : ''));
  assert.equal(plan('CMD x').state.config.WorkingDir, '\\');
  const { state, history } = plan('WORKDIR C:\\foo\\.\\bar\\', 'WORKDIR ..\\baz');
  assert.equal(state.config.WorkingDir, '\\foo\\baz');
  assert.deepEqual(history.map(({ created_by }) => created_by), ['WORKDIR /foo/bar', 'WORKDIR /foo/baz']);
  assert.deepEqual(places('WORKDIR c:\\foo', 'COPY a .', 'COPY a x\\y\\', 'COPY a c:z', 'COPY a C:\\d\\', 'COPY a \\q\\.', 'WORKDIR c:\\'), ['/foo', '/foo/', '/foo/x/y/', '/foo/z', '/d/', '/q/']);
  const refusedAt = (line: string, message: RegExp): void => assert.throws(() => plan(line), (error) => isSiruError(error) && message.test(error.message));
  refusedAt('WORKDIR d:\\x', /not on the system drive/);
  refusedAt('COPY a c:', /no relative path/);
  refusedAt('WORKDIR \\\\server\\share', /UNC paths are not supported/);
  assert.deepEqual(planFile(scratch('WORKDIR c:\\\\x')).state.config.WorkingDir, '/c:\\x');
});
