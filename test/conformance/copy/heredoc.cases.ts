/** COPY: heredocs as sources. */
import type { Case } from '../case.ts';

const bare = (lines: string): string => `FROM base/bare\n${lines}\n`;

export const cases: Case[] = [
  { name: 'heredoc', dockerfile: bare('COPY <<EOF /x\none\ntwo\nEOF') },
  { name: 'heredoc-into-dir', dockerfile: bare('COPY <<one.txt <<two.txt /x/\n1\none.txt\n2\ntwo.txt') },
  { name: 'heredoc-several-without-slash', dockerfile: bare('COPY <<one <<two /x\n1\none\n2\ntwo') },
  { name: 'heredoc-with-a-file', dockerfile: bare('COPY <<one f /x/\n1\none'), files: { f: { text: 'f\n', mode: 0o600 } } },
  { name: 'heredoc-chown-chmod', dockerfile: 'FROM base/users\nCOPY --chown=app:staff --chmod=0711 <<EOF /p/x\n#!/bin/sh\nEOF\n' },
  { name: 'heredoc-expands', dockerfile: bare('ENV a=A b=B\nCOPY <<EOF /x\n$a ${b}c \\$a "$a" \'$a\' `$a` $none ${none:-dflt} \\n \\\\ # no comment\nEOF') },
  { name: 'heredoc-quoted-does-not', dockerfile: bare('ENV a=A\nCOPY <<"EOF" /x\n$a \\$a \\\\\nEOF\nCOPY <<\'E\' /y\n${a}\nE') },
  { name: 'heredoc-tabs', dockerfile: bare('COPY <<-EOF /x\n\tone\n\t\ttwo\n three\n\tEOF') },
  { name: 'heredoc-empty', dockerfile: bare('COPY <<EOF /x\nEOF') },
  { name: 'heredoc-blank-lines-and-comments', dockerfile: bare('COPY <<EOF /x\n\n# not a comment\n\nFROM nothing\n\nEOF') },
  { name: 'heredoc-name-expands', dockerfile: bare('ENV to=/there\nCOPY <<EOF $to/x\n1\nEOF') },
  { name: 'heredoc-name-by-argument', dockerfile: bare('ENV n=q\nCOPY <<$n /x/\n1\n$n') },
  { name: 'heredoc-over-a-dir-of-its-name', dockerfile: bare('COPY d /x/EOF/\nCOPY <<EOF /x/\n1\nEOF'), files: { 'd/f': '' }, refused: /replace/ },
  { name: 'heredoc-replaces-a-file', dockerfile: bare('COPY --chmod=700 f /x\nCOPY <<EOF /x\n1\nEOF'), files: { f: '2' } },
  { name: 'heredoc-never-ends', dockerfile: bare('COPY <<EOF /x\n1\n'), refused: /heredoc/ },
  { name: 'heredoc-as-destination', dockerfile: bare('COPY f <<EOF\n1\nEOF'), files: { f: '' }, refused: /heredoc|destination/ },
  { name: 'heredoc-with-link', dockerfile: 'FROM base/tree\nCOPY --link <<EOF /linked/x\n1\nEOF\n',
    differs: { section: 'Files', why: '--link copies into a tree of its own, as BuildKit does where it can merge layers', shows: /: (?:tree|linked)/ } },
  { name: 'heredoc-in-workdir', dockerfile: bare('WORKDIR /w\nCOPY <<a.conf <<b.conf ./\n1\na.conf\n2\nb.conf') },
  { name: 'heredoc-to-a-dir-that-is-there', dockerfile: 'FROM base/busybox\nCOPY <<a.conf /etc\n1\na.conf\n' },
  { name: 'heredoc-crlf', dockerfile: 'FROM base/bare\r\nCOPY <<EOF /x\r\none\r\ntwo\r\nEOF\r\n' },
  { name: 'heredoc-mode-ignores-umask', dockerfile: bare('COPY <<run.sh --x /p/\n1\nrun.sh'), files: { '--x': '' } },
];
