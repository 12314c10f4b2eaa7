/** Every instruction in its everyday forms, from a Dockerfile to what a container sees. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { serve } from '../src/remote/testing/serve.ts';
import { carryOutAll } from './support/cases.ts';
import type { BuildCase } from './support/cases.ts';
import { needs } from './support/missing.ts';
import { command } from './support/siru.ts';
import { createWorld } from './support/world.ts';
import type { World } from './support/world.ts';

const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const second = 1_000_000_000;

const metadata: BuildCase[] = [
  {
    name: 'FROM scratch gives an image with a PATH and nothing else',
    dockerfile: 'FROM scratch\nLABEL a=b\n',
    config: { Env: [path], WorkingDir: '/', Labels: { a: 'b' } },
    async also(world, tag) {
      assert.deepEqual((await world.inspect(tag)).RootFS.Layers, []);
    },
  },
  {
    name: 'ENV: words of one instruction see the values from before it; replaced in place',
    dockerfile: 'FROM base\nENV a=1 b=2\nENV a=10 c=$a d="x y" e=\\$a\nENV legacy some words $b\n',
    config: { Env: [path, 'a=10', 'b=2', 'c=1', 'd=x y', 'e=$a', 'legacy=some words 2'] },
    shell: 'echo $a $c "$d" "$e"', prints: '10 1 x y $a\n',
  },
  {
    name: 'ENV: every form of expansion',
    dockerfile: 'FROM base\nENV file=a.b.tar empty=\nENV r="${file%.*} ${file%%.*} ${file#*.} ${file##*.} ${file/./-} ${file//./-} ${empty:-d} ${empty-d} ${none-d} ${file:+yes} ${none:+yes}|"\nENV q=\'$file\'\n',
    config: { Env: [path, 'file=a.b.tar', 'empty=', 'r=a.b a b.tar tar a-b.tar a-b-tar d  d yes |', 'q=$file'] },
  },
  {
    name: 'ARG: global ones reach FROM and, declared again, a stage',
    dockerfile: 'ARG BASE=nothing\nARG V=global\nFROM ${BASE} AS first\nARG W=$V\nARG V\nARG X=$V-x Y=$X-y\nENV OUT="[$W] [$V] [$X] [$Y]"\n',
    args: ['--build-arg', 'BASE=base'],
    config: { Env: [path, 'OUT=[] [global] [global-x] [global-x-y]'] },
  },
  {
    name: 'ARG: --build-arg wins over the default, and a name alone takes the value from the environment',
    dockerfile: 'FROM base\nARG A=1\nARG B=2\nARG C=3\nENV OUT=$A$B$C\n',
    args: ['--build-arg', 'A=x', '--build-arg', 'B'], env: { B: 'y' },
    config: { Env: [path, 'OUT=xy3'] },
  },
  {
    name: 'ARG: a later ENV wins, and no ARG stays in the image',
    dockerfile: 'FROM base\nARG A=arg\nENV A=env\nRUN echo $A > /a\nARG SECRETLESS=1\n',
    args: ['--build-arg', 'A=given'],
    config: { Env: [path, 'A=env'] },
    shell: 'cat /a; echo ${SECRETLESS-unset}', prints: 'env\nunset\n',
  },
  {
    name: 'ARG: inherited by stages that stand on this one, unknown to others',
    dockerfile: 'FROM base AS one\nARG A=1\nFROM one AS two\nENV TWO=$A\nFROM base\nENV THREE=[$A]\nCOPY --from=two /etc/group /two\n',
    config: { Env: [path, 'THREE=[]'] },
  },
  {
    name: 'ARG: the platform is known automatically',
    dockerfile: 'FROM --platform=$BUILDPLATFORM base\nARG TARGETOS\nARG TARGETARCH\nARG TARGETPLATFORM\nENV OUT=$TARGETOS/$TARGETARCH SAME=$TARGETPLATFORM\n',
    async also(world, tag) {
      const { Config, Architecture } = await world.inspect(tag);
      assert.ok(Config.Env!.includes(`OUT=linux/${Architecture}`), String(Config.Env));
    },
  },
  {
    name: 'LABEL: many, quoted, continued; --label wins',
    dockerfile: 'FROM base\nLABEL a=1 "b c"="d e" \\\n  # a comment in between\n  f=$UNSET\nLABEL g="two\\\nlines"\n',
    args: ['--label', 'a=cli', '--label', 'new=1'],
    config: { Labels: { a: 'cli', 'b c': 'd e', f: '', g: 'twolines', new: '1' } },
  },
  {
    name: 'EXPOSE: ranges, protocols, variables',
    dockerfile: 'FROM base\nENV P=70\nEXPOSE 80 443/tcp 53/udp 8000-8002 $P\n',
    config: { ExposedPorts: { '53/udp': {}, '70/tcp': {}, '80/tcp': {}, '443/tcp': {}, '8000/tcp': {}, '8001/tcp': {}, '8002/tcp': {} } },
  },
  { name: 'VOLUME: words and JSON, merged', dockerfile: 'FROM base\nVOLUME /a /b\nVOLUME ["/c d"]\n', config: { Volumes: { '/a': {}, '/b': {}, '/c d': {} } } },
  { name: 'STOPSIGNAL, USER and EXPOSE are kept as written', dockerfile: 'FROM base\nARG S=SIGINT\nSTOPSIGNAL $S\nUSER 12:34\n', config: { StopSignal: 'SIGINT', User: '12:34' } },
  {
    name: 'HEALTHCHECK: options in nanoseconds, shell and exec form',
    dockerfile: 'FROM base\nHEALTHCHECK --interval=5s --timeout=1m30s --start-period=500ms --retries=3 CMD wget -q localhost\n',
    config: { Healthcheck: { Test: ['CMD-SHELL', 'wget -q localhost'], Interval: 5 * second, Timeout: 90 * second, StartPeriod: second / 2, Retries: 3 } },
  },
  { name: 'HEALTHCHECK NONE', dockerfile: 'FROM base\nHEALTHCHECK CMD ["true"]\nHEALTHCHECK NONE\n', config: { Healthcheck: { Test: ['NONE'] } } },
  { name: 'CMD: shell form is wrapped, exec form is kept', dockerfile: 'FROM base\nCMD echo $HOME\n', config: { Cmd: ['/bin/sh', '-c', 'echo $HOME'] }, run: [], prints: '/root\n' },
  { name: 'CMD: words in wrong quotes are the shell form', dockerfile: "FROM base\nCMD ['a', 'b']\n", config: { Cmd: ['/bin/sh', '-c', "['a', 'b']"] } },
  { name: 'ENTRYPOINT with CMD; arguments replace CMD alone', dockerfile: 'FROM base\nENTRYPOINT ["echo", "said"]\nCMD ["nothing"]\n', run: ['hello', '-n'], prints: 'said hello -n\n' },
  { name: 'ENTRYPOINT resets the CMD of the base', dockerfile: 'FROM base\nENTRYPOINT ["true"]\n', config: { Entrypoint: ['true'], Cmd: null } },
  {
    name: 'SHELL: for RUN, CMD and children',
    dockerfile: 'FROM base AS one\nSHELL ["/bin/sh", "-e", "-c"]\nRUN echo $- > /flags\nFROM one\nCMD echo hi\n',
    config: { Shell: ['/bin/sh', '-e', '-c'], Cmd: ['/bin/sh', '-e', '-c', 'echo hi'] },
    shell: 'grep -c e /flags', prints: '1\n',
  },
  {
    name: 'ONBUILD: fires in the child, not in the grandchild',
    dockerfile: 'FROM base AS parent\nONBUILD COPY note /note\nONBUILD RUN cat /note > /copied\nFROM parent AS child\nFROM child\nRUN rm /note\n',
    files: { note: 'hello\n' },
    config: { OnBuild: null },
    shell: 'cat /copied; ls /note 2>&1 | wc -l', prints: 'hello\n1\n',
  },
  {
    name: 'MAINTAINER sets the author', dockerfile: 'FROM base\nMAINTAINER Kim <kim@example.com>\n',
    async also(world, tag) {
      assert.equal((await world.ok('inspect', '--format', '{{.Author}}', tag)).trim(), 'Kim <kim@example.com>');
    },
  },
  {
    name: 'history has one entry per instruction, in the words of docker',
    dockerfile: 'FROM base\nARG V=1\nENV A=b\nWORKDIR /w\nRUN true\nCOPY . .\nCMD ["x", "y z"]\n',
    async also(world, tag) {
      const lines = (await world.ok('history', '--no-trunc', '--format', '{{.CreatedBy}}', tag)).trim().split('\n').reverse();
      assert.deepEqual(lines, ['layer 0', 'ARG V=1', 'ENV A=b', 'WORKDIR /w', 'RUN |1 V=1 /bin/sh -c true # buildkit', 'COPY . . # buildkit', 'CMD ["x" "y z"]']);
    },
  },
];

const files: BuildCase[] = [
  {
    name: 'COPY: a folder gives its contents, a file into a folder keeps its name, a missing target takes the name',
    dockerfile: 'FROM base\nCOPY src /app/\nCOPY a.txt /app/sub/\nCOPY a.txt /renamed\nCOPY a.txt /app/deep\n',
    files: { 'a.txt': 'a', 'src/one': '1', 'src/deep/two': '2', 'src/link': { link: 'one' } },
    shell: 'find /app /renamed | sort; readlink /app/link; cat /app/deep/a.txt', prints: '/app\n/app/deep\n/app/deep/a.txt\n/app/deep/two\n/app/link\n/app/one\n/app/sub\n/app/sub/a.txt\n/renamed\none\na',
  },
  {
    name: 'COPY: wildcards, many sources, variables, JSON with spaces',
    dockerfile: 'FROM base\nENV D=/out\nCOPY *.txt file-?.md $D/\nCOPY ["a b", "/sp ace/"]\nCOPY none*.x $D/\n',
    files: { 'x.txt': '', 'y.txt': '', 'z.log': '', 'file-1.md': '', 'file-10.md': '', 'a b': '' },
    shell: 'find /out "/sp ace" | sort', prints: '/out\n/out/file-1.md\n/out/x.txt\n/out/y.txt\n/sp ace\n/sp ace/a b\n',
  },
  {
    name: 'COPY: modes of files are kept, owners are root whatever USER says',
    dockerfile: 'FROM base\nUSER nobody\nCOPY bin /bin2\n', files: { 'bin/tool': { text: '#!/bin/sh\necho ran\n', mode: 0o755 }, 'bin/plain': { text: '', mode: 0o640 } },
    shell: '/bin2/tool; stat -c "%n %a %u:%g" /bin2/*', prints: 'ran\n/bin2/plain 640 0:0\n/bin2/tool 755 0:0\n',
  },
  {
    name: 'COPY --chown and --chmod, by number, by name, symbolic',
    dockerfile: 'FROM base\nCOPY --chown=12:34 --chmod=600 a /n/a\nCOPY --chown=nobody a /b\nCOPY --chown=nobody:root --chmod=u=rwX,go=rX a /c\nCOPY --chown=7 a /d\n',
    files: { a: { text: 'a', mode: 0o644 } },
    shell: 'stat -c "%n %a %u:%g" /n/a /b /c /d; stat -c "%u:%g" /n', prints: '/n/a 600 12:34\n/b 644 65534:65534\n/c 644 65534:0\n/d 644 7:7\n12:34\n',
  },
  {
    name: 'COPY: relative targets are below WORKDIR; links in the target are followed inside the image',
    dockerfile: 'FROM base\nWORKDIR /w\nWORKDIR sub\nCOPY a b/\nRUN ln -s /w/sub /l && ln -s ../../../../outside /w/up && mkdir /outside\nCOPY a /l/c\nCOPY a /w/up/d\n',
    files: { a: '' }, config: { WorkingDir: '/w/sub' }, shell: 'find /w /outside | sort', prints: '/outside\n/outside/d\n/w\n/w/sub\n/w/sub/b\n/w/sub/b/a\n/w/sub/c\n/w/up\n',
  },
  {
    name: 'COPY: hard links within one instruction stay links, and an existing folder keeps its mode',
    dockerfile: 'FROM base\nRUN mkdir -m 1777 /t\nCOPY d /t\nCOPY a /tmp/\n', files: { 'd/f': 'x', a: '' },
    shell: 'stat -c %a /t /tmp', prints: '1777\n1777\n',
  },
  {
    name: 'COPY --from: a stage by name, by number, another image; owners stay',
    dockerfile: 'FROM base AS One\nRUN mkdir /d && echo 1 > /d/f && chown 5:6 /d/f\nFROM base\nRUN echo 2 > /two\nFROM base\nCOPY --from=one /d /d\nCOPY --from=1 /two /\nCOPY --from=base /etc/group /group\n',
    shell: 'cat /d/f /two; stat -c %u:%g /d/f; wc -l < /group', prints: '1\n2\n5:6\n2\n',
  },
  {
    name: 'COPY --link, --parents and --exclude',
    dockerfile: 'FROM base\nCOPY --link a/b /x\nCOPY --parents a/b/c.txt a/*/d.log /p/\nCOPY --exclude=*.log a /q\n', files: { 'a/b/c.txt': '', 'a/b/d.log': '', 'a/e.log': '' },
    shell: 'find /x /p /q | sort', prints: '/p\n/p/a\n/p/a/b\n/p/a/b/c.txt\n/p/a/b/d.log\n/q\n/q/b\n/q/b/c.txt\n/q/b/d.log\n/x\n/x/c.txt\n/x/d.log\n',
  },
  {
    name: 'COPY with heredocs: expanded unless quoted',
    dockerfile: 'FROM base\nENV N=1\nCOPY <<A <<-"B" /h/\nvalue $N "kept"\nA\n\t\tvalue $N\n\tB\nCOPY --chmod=755 <<run.sh /run.sh\n#!/bin/sh\necho ran\nrun.sh\n',
    shell: 'cat /h/A /h/B; /run.sh; stat -c %a /h/A', prints: 'value 1 "kept"\nvalue $N\nran\n644\n',
  },
  {
    name: '.dockerignore: patterns, exceptions, the last rule wins',
    dockerfile: 'FROM base\nCOPY . /c\n',
    files: { '.dockerignore': '# comment\n*.log\n**/node_modules\n/build\n!build/keep\nDockerfile\n.dockerignore\n', 'a.log': '', 'sub/b.log': '', 'sub/node_modules/x': '', 'build/gone': '', 'build/keep': '', c: '' },
    shell: 'cd /c && find . -type f | sort', prints: './build/keep\n./c\n./sub/b.log\n',
  },
  {
    name: '.dockerignore beside the chosen Dockerfile wins',
    dockerfile: 'FROM nothing\n', args: ['-f', 'other.Dockerfile'],
    files: { 'other.Dockerfile': 'FROM base\nCOPY . /c\n', 'other.Dockerfile.dockerignore': 'a\n*ockerfile*\n.dockerignore', '.dockerignore': 'b\n', a: '', b: '' },
    shell: 'ls /c', prints: 'b\n',
  },
  { name: 'WORKDIR makes the folder for USER', dockerfile: 'FROM base\nUSER nobody\nWORKDIR /made/by\n', shell: 'pwd; stat -c %u /made /made/by', prints: '/made/by\n65534\n65534\n' },
  {
    name: 'many names, an ignored Dockerfile name in small letters',
    dockerfile: '', files: { Dockerfile: { link: 'dockerfile' }, dockerfile: 'FROM base\nCOPY a /\n', a: 'a' }, args: ['-t', 'case-many:1', '-t', 'localhost:5000/group/sub/many:2.0'],
    async also(world) {
      const names = (await world.ok('images', '--format', '{{.Repository}}:{{.Tag}}')).split('\n');
      assert.ok(names.includes('case-many:1') && names.includes('localhost:5000/group/sub/many:2.0'), names.join());
    },
  },
];

const runs: BuildCase[] = [
  { name: 'RUN: shell, exec, continued lines, comments in between', dockerfile: 'FROM base\nRUN echo a > /o && \\\n# comment\n  echo "b  c" \\\n   >> /o\nRUN ["sh", "-c", "echo $0 $HOME >> /o", "d"]\n', shell: 'cat /o', prints: 'a\nb  c\nd /root\n' },
  { name: 'RUN with heredocs: a script, a shebang, another program', dockerfile: 'FROM base\nENV V=env\nRUN <<EOF\nx=1\necho "$x $V" > /o\nEOF\nRUN <<EOF\n#!/bin/cat\nbody\nEOF\nRUN cat <<A >> /o && cat <<B >> /o\nfirst $V\nA\nsecond\nB\n', shell: 'cat /o', prints: '1 env\nfirst env\nsecond\n' },
  { name: '# escape changes the continuation', dockerfile: '# escape=`\nFROM base\nRUN echo "C:\\dir" > /o `\n && echo two >> /o\n', shell: 'cat /o', prints: 'C:\\dir\ntwo\n' },
  { name: 'USER: RUN and the container are that user, by its groups', dockerfile: 'FROM base\nRUN echo "kim:x:1000:1000::/home/kim:/bin/sh" >> /etc/passwd && echo "more:x:77:kim" >> /etc/group && mkdir -p /home/kim && chown 1000:1000 /home/kim\nUSER kim\nRUN id -u > ~/o && id -G >> ~/o && echo $HOME >> ~/o\n', shell: 'cat /home/kim/o; id -u; id -G', prints: '1000\n1000 77\n/home/kim\n1000\n1000 77\n' },
  { name: 'RUN sees ARG and ENV, writes nothing of its surroundings into the layer', dockerfile: 'FROM base\nARG A=1\nENV E=2\nRUN echo $A$E > /o; cat /etc/resolv.conf /etc/hosts > /dev/null; ls /proc/self > /dev/null\n', shell: 'cat /o; ls / | tr "\\n" " "', prints: '12\nbin dev etc o proc root sys tmp ',
    async also(world, tag, context) {
      const layers = (await world.inspect(tag)).RootFS.Layers;
      const last = join(world.store, 'blobs', layers.at(-1)!.replace(':', '/'));
      assert.deepEqual((await command(['tar', '-tf', last], { cwd: context })).trim().split('\n').filter((name) => !name.endsWith('/')), ['o']);
    } },
  { name: 'RUN removes files of layers below and replaces folders', dockerfile: 'FROM base\nRUN mkdir /d && echo 1 > /d/a && echo 2 > /d/b && mkdir /e && touch /e/x\nRUN rm /d/a && rm -r /e && mkdir /e && touch /e/y\nRUN rm -r /d && echo file > /d\n', shell: 'cat /d; ls /e', prints: 'file\ny\n' },
  { name: 'RUN keeps modes, set-uid bits, links, fifos, times', dockerfile: 'FROM base\nRUN touch -d "2001-02-03 04:05:06" /f && chmod 4711 /f && ln /f /g && ln -s f /s && mkfifo /p && chown -h 3:4 /s\n', shell: 'stat -c "%a %Y %h" /f; stat -c "%F %u:%g" /s /p', prints: '4711 981173106 2\nsymbolic link 3:4\nfifo 0:0\n' },
  { name: 'mount type=cache: kept between builds, not in the image', dockerfile: 'FROM base\nARG N\nRUN --mount=type=cache,target=/cache,id=counter-a echo x >> /cache/n; wc -l < /cache/n > /o # $N\n', args: ['--build-arg', 'N=1'], shell: 'cat /o; ls /cache 2>/dev/null | wc -l', prints: '1\n0\n',
    async also(world, tag, context) {
      await world.ok('build', '-t', tag, '--build-arg', 'N=2', context);
      assert.equal(await world.ok('run', '--rm', tag, 'cat', '/o'), '2\n');
    } },
  { name: 'mount type=cache: mode, owner, sharing', dockerfile: 'FROM base\nRUN --mount=type=cache,target=/c,mode=0750,uid=5,gid=6,sharing=locked stat -c "%a %u:%g" /c > /o\n', shell: 'cat /o', prints: '750 5:6\n' },
  { name: 'mount type=bind: of the context, of a stage; written things are dropped', dockerfile: 'FROM base AS one\nRUN echo one > /f\nFROM base\nWORKDIR /w\nRUN --mount=type=bind,source=src,target=in,rw --mount=from=one,source=/f,target=/f2 cat in/a /f2 > /o && echo more > in/new\n', files: { 'src/a': 'a\n' }, shell: 'cat /o; ls /w', prints: 'a\none\n' },
  { name: 'mount type=bind is read-only by itself', dockerfile: 'FROM base\nRUN --mount=target=/in ! touch /in/x\n', shell: 'true', prints: '' },
  { name: 'mount type=tmpfs', dockerfile: 'FROM base\nRUN --mount=type=tmpfs,target=/t,size=1m touch /t/x && grep -q "/t tmpfs" /proc/mounts\n', shell: 'ls /t 2>/dev/null | wc -l', prints: '0\n' },
  { name: 'mount type=secret: a file, an environment variable, not in the image nor in its history', dockerfile: 'FROM base\nRUN --mount=type=secret,id=tok cat /run/secrets/tok | wc -c > /o; stat -c %a /run/secrets/tok >> /o\nRUN --mount=type=secret,id=word,env=WORD echo ${#WORD} >> /o\nRUN --mount=type=secret,id=tok,target=/etc/tok,uid=9,mode=0440 stat -c "%a %u" /etc/tok >> /o\n', files: { 'tok.txt': 'secret-text-1' }, args: ['--secret', 'id=tok,src=tok.txt', '--secret', 'id=word,env=MY_WORD'], env: { MY_WORD: 'secret-text-22' }, shell: 'cat /o; ls /run/secrets /etc/tok 2>/dev/null | wc -l', prints: '13\n400\n14\n440 9\n0\n',
    async also(world, tag) {
      assert.doesNotMatch(await world.ok('history', '--no-trunc', tag) + await world.ok('inspect', tag), /secret-text/);
    } },
  { name: 'mount type=secret, required and missing', dockerfile: 'FROM base\nRUN --mount=type=secret,id=none,required true\n', fails: /none/ },
  { name: 'a secret that is not required may be missing', dockerfile: 'FROM base\nRUN --mount=type=secret,id=none test ! -e /run/secrets/none\n', shell: 'true', prints: '' },
  { name: 'RUN --network=none has the loopback alone', dockerfile: 'FROM base\nRUN --network=none ip -o link | wc -l > /o\n', shell: 'cat /o', prints: '1\n' },
  { name: 'build --network none', dockerfile: 'FROM base\nRUN ip -o link | wc -l > /o\n', args: ['--network', 'none'], shell: 'cat /o', prints: '1\n' },
  { name: '--add-host reaches /etc/hosts of RUN and stays out of the image', dockerfile: 'FROM base\nRUN grep -c "10.1.2.3.*some-host" /etc/hosts > /o\n', args: ['--add-host', 'some-host:10.1.2.3'], shell: 'cat /o; grep -c some-host /etc/hosts', run: ['sh', '-c', 'cat /o; grep -c some-host /etc/hosts || true'], prints: '1\n0\n' },
  { name: 'proxies of --build-arg reach RUN and neither history nor image', dockerfile: 'FROM base\nRUN echo $HTTP_PROXY > /o\n', args: ['--build-arg', 'HTTP_PROXY=http://proxy.invalid:1'], shell: 'cat /o; echo [$HTTP_PROXY]', prints: 'http://proxy.invalid:1\n[]\n',
    async also(world, tag) {
      assert.doesNotMatch(await world.ok('history', '--no-trunc', tag), /proxy\.invalid/);
    } },
  { name: 'RUN that fails: exit code, line and excerpt', dockerfile: 'FROM base\nRUN true\nRUN echo out; echo err >&2; exit 7\nRUN true\n', fails: /Dockerfile:3[^]*exit 7|exit code[^]*7[^]*Dockerfile:3/ },
  { name: 'RUN of a program that does not exist', dockerfile: 'FROM base\nRUN ["/no/such", "program"]\n', fails: /no\/such/ },
  { name: 'RUN has the default capabilities and no more', dockerfile: 'FROM base\nRUN grep CapEff /proc/self/status | cut -f2 > /o; ! mount -t tmpfs none /tmp 2>/dev/null; chown 1:1 /o\n', shell: 'cat /o', prints: '00000000a80425fb\n' },
  { name: '--target builds a stage, and unused stages are not built', dockerfile: 'FROM base AS unused\nRUN exit 1\nFROM base AS wanted\nRUN echo w > /o\nFROM wanted\nRUN exit 1\n', args: ['--target', 'Wanted'], shell: 'cat /o', prints: 'w\n' },
  { name: '-f - reads the Dockerfile from standard input', dockerfile: 'FROM nothing\n', args: ['-f', '-'], input: 'FROM base\nCOPY a /a\n', files: { a: 'a' }, shell: 'cat /a', prints: 'a' },
];

const commandLine: BuildCase[] = [
  {
    name: '--iidfile and --metadata-file', dockerfile: 'FROM base\nLABEL x=1\n', args: ['--iidfile', '{context}/iid', '--metadata-file', '{context}/meta.json'],
    async also(world, tag, context) {
      const image = await world.inspect(tag);
      assert.equal(readFileSync(join(context, 'iid'), 'utf8'), image.Id);
      const meta = JSON.parse(readFileSync(join(context, 'meta.json'), 'utf8')) as Record<string, string>;
      assert.equal(meta['containerimage.config.digest'], image.Id);
      assert.equal(meta['containerimage.digest'], image.Descriptor.digest);
      assert.equal(meta['image.name'], `docker.io/library/${tag}:latest`);
    },
  },
  {
    name: '-q prints the image ID alone', dockerfile: 'FROM base\nRUN echo noise\n',
    async also(world, tag, context) {
      const outcome = await world.run(['build', '-q', '--no-cache', context]);
      assert.match(outcome.stdout, /^sha256:[0-9a-f]{64}\n$/);
      assert.equal(outcome.stderr, '');
      assert.equal(outcome.stdout.trim(), (await world.inspect(tag)).Id);
    },
  },
  {
    name: '--progress=json is a stream of events', dockerfile: 'FROM base\nRUN echo noise\n',
    async also(world, tag, context) {
      const events = (await world.ok('build', '--progress=json', '--no-cache', '-t', tag, context)).trim().split('\n').map((line) => JSON.parse(line) as { type: string; text?: string; status?: string });
      assert.ok(events.some(({ type, text }) => type === 'step-log' && text?.includes('noise')));
      assert.equal(events.at(-1)!.type, 'build-done');
    },
  },
  {
    name: 'a second build executes nothing; --no-cache executes again',
    dockerfile: 'FROM base\nCOPY a /a\nRUN cat /a > /b\nWORKDIR /w\n', files: { a: '1' },
    async also(world, tag, context) {
      assert.deepEqual(await statuses(world, context, tag), ['cached', 'cached', 'cached']);
      const again = await statuses(world, context, tag, 3, '--no-cache');
      assert.ok(again.every((status) => status !== 'cached'), String(again));
    },
  },
  {
    name: 'early cut-off: a step that gives the same files again leaves what stands on it cached',
    dockerfile: 'FROM base\nRUN --mount=target=/in wc -c < /in/a > /n\nRUN cp /n /m\nRUN cp /m /o\n', files: { a: 'one' },
    async also(world, tag, context) {
      writeFileSync(join(context, 'a'), 'two');
      assert.deepEqual(await statuses(world, context, tag), ['same', 'cached', 'cached']);
    },
  },
  {
    name: 'a miss stays within its stage where what others take of it is the same',
    dockerfile: 'FROM base AS one\nCOPY a /a\nRUN wc -c < /a > /n\nFROM base\nCOPY --from=one /n /n\nRUN cp /n /m\n', files: { a: 'one' },
    async also(world, tag, context) {
      writeFileSync(join(context, 'a'), 'two');
      assert.deepEqual(await statuses(world, context, tag, 5), ['executed', 'executed', 'cached', 'cached', 'cached']);
    },
  },
  {
    name: 'a miss names its reason', dockerfile: 'FROM base\nARG V=1\nCOPY src /src\nRUN echo $V > /o\n', files: { 'src/deep/app.js': '1', 'src/other.js': '2' },
    async also(world, tag, context) {
      await command(['sh', '-c', 'echo 22 > src/deep/app.js'], { cwd: context });
      const outcome = await world.run(['build', '--progress=plain', '-t', tag, context]);
      assert.match(outcome.stderr, /src\/deep\/app\.js changed/);
      const other = await world.run(['build', '--progress=plain', '--build-arg', 'V=2', '-t', tag, context]);
      assert.match(other.stderr, /argument V.*1 -> 2/);
    },
  },
  {
    name: 'equal size and time with other bytes is no stale image', dockerfile: 'FROM base\nCOPY a /a\n', files: { a: 'one' },
    async also(world, tag, context) {
      await command(['sh', '-c', 'touch -d @1000000000 a'], { cwd: context });
      await world.ok('build', '-t', tag, context);
      await command(['sh', '-c', 'printf two > a; touch -d @1000000000 a'], { cwd: context });
      await world.ok('build', '-t', tag, context);
      assert.equal(await world.ok('run', '--rm', tag, 'cat', '/a'), 'two');
    },
  },
  {
    name: 'SOURCE_DATE_EPOCH sets every time', dockerfile: 'FROM scratch\nCOPY a /d/a\n', files: { a: 'a' }, env: { SOURCE_DATE_EPOCH: '1000000000' },
    async also(world, tag) {
      assert.match(await world.ok('inspect', '--format', '{{.Created}}', tag), /^2001-09-09T01:46:40/);
    },
  },
  { name: '--platform names the result', dockerfile: 'FROM scratch\nCOPY a /a\n', files: { a: '' }, args: ['--platform', 'linux/arm64'],
    async also(world, tag) {
      assert.equal((await world.inspect(tag)).Architecture, 'arm64');
    } },
];

/** How the last steps ended, FROM included, in the order of the Dockerfile. */
async function statuses(world: World, context: string, tag: string, count = 3, ...args: string[]): Promise<string[]> {
  type Done = { type: string; status: string; step: { id: number; line: number } };
  const events = (await world.ok('build', '--progress=json', '-t', tag, ...args, context)).trim().split('\n').map((line) => JSON.parse(line) as Done);
  return events.filter(({ type, status }) => type === 'step-done' && status !== 'config')
    .sort((a, b) => a.step.line - b.step.line).map(({ status }) => status).slice(-count);
}

async function table(t: TestContext, cases: readonly BuildCase[]): Promise<void> {
  await using world = await createWorld();
  await world.base();
  await carryOutAll(t, world, cases);
}

const skip = needs('run');

test('instructions that change the configuration', { skip }, (t) => table(t, metadata));
test('COPY, WORKDIR and .dockerignore', { skip }, (t) => table(t, files));
test('RUN, its mounts, users and networks', { skip }, (t) => table(t, runs));
test('the command line of build', { skip }, (t) => table(t, commandLine));

test('ADD: archives are unpacked, URLs are fetched and not unpacked', { skip }, async (t) => {
  await using world = await createWorld();
  await world.base();
  const made = world.context({ 'tree/sub/file': 'in archive\n' });
  const archive = (flags: string, name: string): Promise<string> => command(['tar', '-C', made, `-c${flags}f`, join(made, name), 'tree']);
  await Promise.all([archive('', 'a.tar'), archive('z', 'b.tgz'), archive('j', 'c.tar.bz2').catch(() => ''), archive('J', 'd.data').catch(() => '')]);
  const bytes = (name: string): Buffer => readFileSync(join(made, name));
  await using server = await serve((request, response) => {
    if (request.url === '/dir/file.tgz') response.writeHead(200, { 'last-modified': 'Sun, 09 Sep 2001 01:46:40 GMT' }).end(bytes('b.tgz'));
    else if (request.url === '/moved') response.writeHead(302, { location: '/plain?x=1' }).end();
    else if (request.url?.startsWith('/plain')) response.end('plain text');
    else response.writeHead(404).end('nothing here');
  });
  const url = `http://${server.host}`;
  await carryOutAll(t, world, [
    { name: 'tar and tar.gz by their content', dockerfile: 'FROM base\nADD a.tar /x/\nADD b.tgz /y\nADD not.tar /z/\n', files: { 'a.tar': bytes('a.tar'), 'b.tgz': bytes('b.tgz'), 'not.tar': 'no archive' }, shell: 'find /x /y /z -type f | sort; cat /y/tree/sub/file', prints: '/x/tree/sub/file\n/y/tree/sub/file\n/z/not.tar\nin archive\n' },
    { name: 'ADD --unpack=false keeps the archive', dockerfile: 'FROM base\nADD --unpack=false a.tar /x/\n', files: { 'a.tar': bytes('a.tar') }, shell: 'ls /x', prints: 'a.tar\n' },
    { name: 'a URL: name, mode and time of the file', dockerfile: `FROM base\nADD ${url}/dir/file.tgz /x/\nADD ${url}/moved /y\n`, shell: 'stat -c "%n %a %Y" /x/*; cat /y', prints: '/x/file.tgz 600 1000000000\nplain text' },
    { name: 'a URL with its checksum', dockerfile: `FROM base\nADD --checksum=sha256:a94a2b1c6a7e2e6c6a8b4c4d6e0c0f0000000000000000000000000000000000 ${url}/plain /y\n`, fails: /sha256:a94a2b1c/ },
    { name: 'a URL that is not there', dockerfile: `FROM base\nADD ${url}/none /y\n`, fails: /404[^]*Dockerfile:2|Dockerfile:2[^]*404/ },
    { name: 'heredocs and plain files, with --chown', dockerfile: 'FROM base\nADD --chown=3:4 <<f a /d/\ntext\nf\n', files: { a: 'a' }, shell: 'stat -c "%n %u:%g" /d/*', prints: '/d/a 3:4\n/d/f 3:4\n' },
  ]);
});

test('tar archives become images with import', { skip }, async () => {
  await using world = await createWorld();
  const context = world.context({ 'root/etc/motd': 'hello' });
  const tar = join(context, 'x.tar');
  await command(['tar', '-C', join(context, 'root'), '-cf', tar, '.']);
  await world.ok('import', '--change', 'CMD ["/x"]', '--change', 'ENV A=b', tar, 'imported:1');
  const { Config } = await world.inspect('imported:1');
  assert.deepEqual([Config.Cmd, Config.Env?.includes('A=b')], [['/x'], true]);
});

