/** Heredocs whose command line has more than the heredoc. Section 2.4 of the reference. */
import type { Case } from '../case.ts';

const busybox = (lines: string): string => `FROM base/busybox\n${lines}\n`;

export const cases: Case[] = [
  { name: 'shell-descriptor', dockerfile: busybox('RUN 5<<FILE cat 0<&5 > /o\nx\nFILE') },
  { name: 'shell-descriptors-two', dockerfile: busybox('RUN cat 3<<A 4<<B - <&4 > /o\nx\nA\ny\nB') },
  { name: 'shell-group', dockerfile: busybox('RUN (cat; cat) <<EOF > /o\nx\nEOF') },
  { name: 'shell-two-commands-before', dockerfile: busybox('RUN <<ONE cat > /a && <<TWO cat > /b\n1\nONE\n2\nTWO') },
  { name: 'shell-command-substitution', dockerfile: busybox('RUN echo "$(cat <<EOF\nx\nEOF\n)" > /o'), refused: /./ },
  { name: 'shell-pipe', dockerfile: busybox('RUN cat <<EOF | tr a-z A-Z > /o\nabc\nEOF') },
  { name: 'shell-exec-form-has-none-refused', dockerfile: busybox('RUN ["cat", "<<EOF"]\nx\nEOF'), refused: /unknown instruction: x/i },
  { name: 'shell-word-has-quotes-within', dockerfile: busybox('RUN cat <<E"O"F > /o\n$HOME\nEOF') },
  { name: 'shell-word-escaped', dockerfile: busybox('RUN cat <<\\EOF > /o\n$HOME\nEOF') },
  { name: 'shell-body-with-carriage-returns', dockerfile: 'FROM base/busybox\nRUN cat <<EOF > /o\na\r\nb\r\nEOF\r\nENV A=1\r\n' },
  { name: 'shell-body-with-terminator-inside', dockerfile: busybox('RUN cat <<EOF > /o\n EOF\nEOF \nxEOF\nEOF') },
  { name: 'shell-body-long', dockerfile: busybox(`RUN cat <<EOF | wc -c > /o\n${'0123456789abcdef\n'.repeat(4000)}EOF`) },
  { name: 'shell-background', dockerfile: busybox('RUN <<EOF\nfalse &&\\\ntrue\necho $? > /o\nEOF') },
  { name: 'shell-comment-only', dockerfile: busybox('RUN <<EOF\n# nothing\nEOF') },
  { name: 'shell-empty', dockerfile: busybox('RUN <<EOF\nEOF') },
  { name: 'shell-lone-with-descriptor', dockerfile: busybox('RUN 3<<EOF\necho x > /o\nEOF') },
  { name: 'shell-lone-with-trailing-blank', dockerfile: busybox('RUN <<EOF   \necho x > /o\nEOF') },
  { name: 'shell-lone-quoted', dockerfile: busybox('RUN <<"EOF"\necho "$HOME" > /o\nEOF') },
  { name: 'shell-lone-continued', dockerfile: busybox('RUN \\\n <<EOF\necho x > /o\nEOF') },
  { name: 'shell-script-with-options', dockerfile: busybox('RUN <<EOF\n#!/usr/bin/env sh\nset -u\necho "$#" > /o\nEOF') },
  { name: 'shell-script-fails', dockerfile: busybox('RUN <<EOF\n#!/bin/sh\nexit 4\nEOF'), refused: /exit code: 4|exit.*4/ },
  { name: 'shell-script-without-interpreter', dockerfile: busybox('RUN <<EOF\n#!/no/such\nEOF'), refused: /./ },
  { name: 'shell-script-under-user', dockerfile: busybox('USER app\nRUN <<EOF\n#!/bin/sh\nid -u > /tmp/o\nls -l /dev/pipes/EOF | cut -c1-10 >> /tmp/o\nEOF') },
  { name: 'shell-other-line-behind', dockerfile: busybox('RUN <<EOF\necho x > /o\nEOF\n\nENV A=1\nRUN <<EOF\necho y > /p\nEOF') },
  { name: 'shell-arithmetic-shift-refused', dockerfile: busybox('RUN echo $((1 << 2)) > /o\nENV A=1'), refused: /unterminated heredoc/ },
  { name: 'shell-here-string', dockerfile: busybox('RUN cat <<<x > /o; true\nENV A=1'), note: 'three of them are no heredoc for the builder', refused: /./ },
  { name: 'shell-less-than-in-quotes', dockerfile: busybox('RUN echo "<<EOF" \'<<-X\' \\<\\<Y > /o') },
];
