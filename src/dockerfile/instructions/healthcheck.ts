/** HEALTHCHECK. */
import { fault } from '../errors.ts';
import { readFlags } from '../flags.ts';
import type { InstructionOf } from '../instruction.ts';
import type { Node } from '../parse-lines.ts';
import { didYouMean } from '../suggest.ts';
import { wantAtLeastOne } from './arguments.ts';
import type { Bare } from './bare.ts';
import { commandLine } from './command.ts';

const nanoseconds: Record<string, number> = { ns: 1, us: 1e3, 'µs': 1e3, 'μs': 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
/** Shortest time that may be asked for: a millisecond. */
const leastInterval = 1e6;
/** Longest, so that every value is an exact number: about 104 days. */
const mostInterval = Number.MAX_SAFE_INTEGER;
const maxRetries = 2 ** 31 - 1;

export function parseHealthcheck(node: Node): Bare<InstructionOf<'healthcheck'>> {
  const [type = '', ...args] = wantAtLeastOne(node);
  const check: Bare<InstructionOf<'healthcheck'>> = { kind: 'healthcheck' };
  switch (type.toUpperCase()) {
    case 'NONE':
      // Flags mean nothing here, whatever they are.
      if (args.length > 0) throw fault('HEALTHCHECK NONE takes no arguments');
      return check;
    case 'CMD':
      break;
    default:
      throw fault(`unknown type ${JSON.stringify(type.slice(0, 100))} in HEALTHCHECK (try CMD)${didYouMean(type, ['CMD', 'NONE'])}`, 'Write HEALTHCHECK [flags] CMD command, or HEALTHCHECK NONE.');
  }
  const flags = readFlags(node, { interval: 'text', timeout: 'text', 'start-period': 'text', 'start-interval': 'text', retries: 'text' });
  if (args.length === 0) throw fault('missing command after HEALTHCHECK CMD');
  check.command = commandLine(node, args);
  for (const [flag, name] of [['interval', 'interval'], ['timeout', 'timeout'], ['start-period', 'startPeriod'], ['start-interval', 'startInterval']] as const) {
    const text = flags.text(flag);
    if (text !== undefined && text !== '') check[name] = parseInterval(text, flag);
  }
  const retries = flags.text('retries');
  if (retries !== undefined && retries !== '') {
    if (!/^[+-]?\d{1,10}$/.test(retries) || Number(retries) > maxRetries) throw fault(`--retries is not a number: ${JSON.stringify(retries.slice(0, 100))}`);
    if (Number(retries) < 0) throw fault(`--retries cannot be negative (${retries})`);
    check.retries = Number(retries);
  }
  return check;
}

function parseInterval(text: string, flag: string): number {
  const duration = parseDuration(text);
  if (duration === undefined) throw fault(`invalid duration ${JSON.stringify(text.slice(0, 100))} for --${flag}`, 'A duration is a number with a unit, as in 500ms, 30s or 1m30s.');
  if (duration !== 0 && duration < leastInterval) throw fault(`interval "${flag}" cannot be less than 1ms`);
  if (duration > mostInterval) throw fault(`interval "${flag}" cannot be more than 100 days`);
  return duration;
}

/** Nanoseconds of a duration as Go writes it (`1h2m3.5s`); undefined when it is none. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 64) return undefined;
  const [, sign, body = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  if (body === '0') return 0;
  const parts = [...body.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/gy)];
  if (parts.length === 0 || parts.reduce((length, [part]) => length + part.length, 0) !== body.length) return undefined;
  const total = parts.reduce((sum, [, number, unit]) => sum + Number(number) * nanoseconds[unit!]!, 0);
  return Math.round(sign === '-' ? -total : total);
}
