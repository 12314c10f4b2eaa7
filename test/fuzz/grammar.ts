/** Dockerfiles by the rules of the language, and with slips in them. */
import type { Random } from './random.ts';

const words = [
  'a', 'b', '/', '/x', './y', '..', '../../z', '.', 'dir/', '*.txt', '[ab]?', '**', 'a=b', 'A="b c"', "B='$A'", '$A', '${A}', '${A:-$B}', '${A:+x}', '${A:?no}',
  '${A#*}', '${A%%b?}', '${A/a/b}', '${A//\\*/}', '${', '$', '\\', '\\$A', '"', "'", '""', '80', '8000-8010/udp', '127.0.0.1:80:80', 'root:0', '1000:1000', 'SIGTERM',
  'https://h.example/f.tgz', 'https://h.example/r.git#v1:sub', '<<E', '<<-"E"', '3<<E', '["a", "b"]', '["a", 1]', '[', '&&', '|', '#', '=', 'NONE', 'CMD', 'ü', '日本', '\ufeff', '\u0000', '\u001b[2J', '__proto__=1', 'constructor',
];
const images = ['scratch', 'alpine', 'alpine:3.20', 'base', 'h.example:5000/a/b@sha256:' + '0'.repeat(64), '$A', '${A:-scratch}', 'Base', '0', 'UPPER'];
const flags: Record<string, readonly string[]> = {
  FROM: ['--platform=linux/arm64', '--platform=$BUILDPLATFORM', '--platform=x'],
  RUN: ['--mount=type=cache,target=/c', '--mount=type=bind,from=base,source=/,target=/s,rw', '--mount=type=secret,id=k,env=K', '--mount=type=ssh', '--mount=type=tmpfs,target=/t,size=1m', '--mount=target=$A', '--network=none', '--security=insecure', '--device=x'],
  COPY: ['--from=base', '--from=0', '--from=alpine', '--chown=1:1', '--chmod=u+x', '--chmod=755', '--link', '--parents', '--exclude=*.o', '--exclude=!a'],
  ADD: ['--checksum=sha256:' + '0'.repeat(64), '--unpack=false', '--keep-git-dir=true', '--chown=$A', '--link=true'],
  HEALTHCHECK: ['--interval=1s', '--timeout=1m30s', '--retries=3', '--start-period=0', '--start-interval=1ms'],
};
const instructions = ['FROM', 'RUN', 'COPY', 'ADD', 'ENV', 'ARG', 'LABEL', 'WORKDIR', 'USER', 'EXPOSE', 'VOLUME', 'CMD', 'ENTRYPOINT', 'SHELL', 'HEALTHCHECK', 'STOPSIGNAL', 'ONBUILD', 'MAINTAINER'];
const directives = ['# escape=`', '# escape=\\', '# syntax=docker/dockerfile:1', '# check=skip=all', '# check=skip=StageNameCasing;error=true', '#!/bin/sh', '# A says what A is', '#'];

export const dictionary: readonly string[] = [...instructions, ...words, ...Object.values(flags).flat(), ...directives, '\\\n', '`\n', '\nE\n', '\r\n', ' AS base\n', '\n\n'];

export function generateDockerfile(random: Random): string {
  const lines: string[] = [];
  if (random.once(4)) lines.push(random.pick(directives));
  if (random.once(3)) lines.push(instruction('ARG', random));
  lines.push(from(random));
  for (let count = random.int(10); count > 0; count--) {
    const name = random.pick(instructions);
    lines.push(name === 'FROM' ? from(random) : instruction(name, random));
    if (random.once(10)) lines.push(random.pick(directives));
  }
  return lines.join(random.once(12) ? '\r\n' : '\n') + (random.once(4) ? '' : '\n');
}

function from(random: Random): string {
  const flag = random.once(4) ? `${random.pick(flags.FROM!)} ` : '';
  const name = random.once(2) ? ` ${random.pick(['AS', 'as', 'As'])} ${random.pick(['base', 'Base', 'b', 'scratch', '0a'])}` : '';
  return `FROM ${flag}${random.pick(images)}${name}`;
}

function instruction(name: string, random: Random): string {
  if (name === 'ONBUILD') return `ONBUILD ${instruction(random.pick(instructions), random)}`;
  const given: string[] = [random.once(10) ? name.toLowerCase() : name];
  const own = flags[name] ?? [];
  while (own.length > 0 && random.once(3)) given.push(random.pick(own));
  if (name === 'HEALTHCHECK') given.push(random.pick(['CMD', 'NONE', 'CMD']));
  for (let count = random.int(5); count > 0; count--) given.push(random.pick(words));
  const gap = random.once(8) ? random.pick([' \\\n', ' \\\n# note\n', ' `\n', ' \\\n\n ', '\t']) : ' ';
  const text = given.join(gap);
  return /<</.test(text) && !random.once(4) ? `${text}\n${random.pick(words)} body $A\n\tE\nE` : text;
}
