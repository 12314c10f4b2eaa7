/** HEALTHCHECK. */
import type { Case, Difference } from '../case.ts';

const differs: Difference = { section: 'Newer BuildKit', why: 'the text of the history was changed', shows: /^[-+] history \d+ = .*"HEALTHCHECK (?:&\{\[|\{Test:\[)/ };

const on = (lines: string, base = 'base/busybox'): string => `FROM ${base}\n${lines}\n`;

export const cases: Case[] = [
  { name: 'shell', dockerfile: on('HEALTHCHECK CMD wget -q localhost || exit 1'), differs },
  { name: 'exec', dockerfile: on('HEALTHCHECK CMD ["wget", "-q", "a b"]'), differs },
  { name: 'all-flags', dockerfile: on('HEALTHCHECK --interval=5s --timeout=1m30s --start-period=2h --start-interval=500ms --retries=3 CMD x'), differs },
  { name: 'none', dockerfile: on('HEALTHCHECK NONE', 'base/withconfig'), differs },
  { name: 'options-are-not-inherited', dockerfile: on('HEALTHCHECK CMD x', 'base/withconfig'), differs },
  { name: 'inherited', dockerfile: on('ENV a=1', 'base/withconfig') },
  { name: 'zero-interval', dockerfile: on('HEALTHCHECK --interval=0 --retries=0 CMD x'), differs },
  { name: 'odd-durations', dockerfile: on('HEALTHCHECK --interval=1.5s --timeout=1h0m0.25s --start-period=90m CMD x'), differs },
  { name: 'none-with-flags', dockerfile: on('HEALTHCHECK --interval=5s --anything NONE'), differs },
  { name: 'none-with-arguments-refused', dockerfile: on('HEALTHCHECK NONE x'), refused: /HEALTHCHECK NONE takes no arguments/ },
  { name: 'too-short-refused', dockerfile: on('HEALTHCHECK --interval=1us CMD x'), refused: /interval.*1ms/ },
  { name: 'negative-retries-refused', dockerfile: on('HEALTHCHECK --retries=-1 CMD x'), refused: /retries/ },
  { name: 'bad-duration-refused', dockerfile: on('HEALTHCHECK --interval=5 CMD x'), refused: /5/ },
  { name: 'unknown-type-refused', dockerfile: on('HEALTHCHECK CURL x'), refused: /(?:Unknown|unknown) type.*CURL/ },
  { name: 'missing-command-refused', dockerfile: on('HEALTHCHECK CMD'), refused: /[Mm]issing command after HEALTHCHECK CMD/ },
  { name: 'no-argument-refused', dockerfile: on('HEALTHCHECK'), refused: /HEALTHCHECK requires at least one argument/ },
  { name: 'unknown-flag-refused', dockerfile: on('HEALTHCHECK --retires=3 CMD x'), refused: /unknown flag: --retires/ },
  { name: 'lower-case-words', dockerfile: on('healthcheck cmd x'), differs },
];
