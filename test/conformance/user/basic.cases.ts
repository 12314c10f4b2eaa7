/** USER: config, what RUN and WORKDIR make of it. */
import type { Case } from '../case.ts';

const on = (lines: string, base = 'base/users'): string => `FROM ${base}\n${lines}\n`;
const id = 'RUN id -u > /tmp/o; id -g >> /tmp/o; id -G >> /tmp/o; echo "[$HOME]" >> /tmp/o';

export const cases: Case[] = [
  { name: 'name', dockerfile: on(`USER app\n${id}`) },
  { name: 'name-and-group', dockerfile: on(`USER app:staff\n${id}`) },
  { name: 'name-and-number', dockerfile: on(`USER app:4242\n${id}`) },
  { name: 'number-in-passwd', dockerfile: on(`USER 1000\n${id}`) },
  { name: 'group-that-is-missing-in-the-file', dockerfile: on(`USER nogroup\n${id}`) },
  { name: 'name-twice-in-passwd', dockerfile: on(`USER dash-ed.user_1\n${id}`) },
  { name: 'expanded', dockerfile: on('ARG u=app\nENV g=staff\nUSER ${u}:$g\nRUN id -un > /tmp/o') },
  { name: 'unknown-name-in-run', dockerfile: on('USER missing\nRUN true'), refused: /missing/ },
  { name: 'unknown-group-in-run', dockerfile: on('USER app:missing\nRUN true'), refused: /missing/ },
  { name: 'unknown-name-without-run', dockerfile: on('USER missing') },
  { name: 'inherited-from-the-base', dockerfile: on(id, 'base/withconfig') },
  { name: 'back-to-root', dockerfile: on(`USER root\n${id}`, 'base/withconfig') },
  { name: 'no-argument-refused', dockerfile: on('USER'), refused: /USER requires exactly one argument/ },
  { name: 'two-words', dockerfile: on('USER a b') },
  { name: 'empty-after-expansion', dockerfile: on('USER $gone\nRUN id -u > /tmp/o') },
  {
    name: 'bare-image-by-number', dockerfile: on('USER 1000\nRUN true', 'base/bare'), refused: /user 1000/,
    differs: { section: 'Users', why: 'a number needs no file to be looked up in', shows: /^- refused at line 3: .*unable to find user 1000|^\+ / },
  },
  { name: 'bare-image-by-name', dockerfile: on('USER app\nRUN true', 'base/bare'), refused: /app/ },
  { name: 'bare-image-root', dockerfile: on('USER root\nRUN true', 'base/bare'), refused: /root/ },
  { name: 'user-made-by-run', dockerfile: on('RUN echo new:x:3000:3001::/:/bin/sh >> /etc/passwd\nUSER new\nRUN id -g > /tmp/o') },
  { name: 'negative-in-passwd', dockerfile: on('USER negative\nRUN id -u > /tmp/o'), refused: /negative|-1|uid/ },
  { name: 'colon-at-the-end', dockerfile: on(`USER app:\n${id}`) },
  { name: 'colon-at-the-start', dockerfile: on(`USER :staff\n${id}`) },
  { name: 'large-number', dockerfile: on('USER 4294967295\nRUN true'), refused: /4294967295|uid|range/ },
];
