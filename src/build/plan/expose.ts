/** EXPOSE: ports that the image means to serve. `[[ip:]hostPort:]port[-port][/protocol]`; only the last part is kept. */
import { isIP } from 'node:net';
import type { InstructionOf, Lines } from '../../dockerfile/instruction.ts';
import type { StageState } from '../step-plan.ts';
import { withConfig, type Change } from './change.ts';
import type { Expander, Warning } from './expansion.ts';
import { fault } from '../../dockerfile/errors.ts';
import { list } from './go-format.ts';
import { emptyEntry } from './history.ts';

/** Most ports of one instruction: all there are, for each protocol. */
export const maxPorts: number = 3 * 65_536;

export function planExpose(state: StageState, instruction: InstructionOf<'expose'>, expander: Expander): Change {
  const warnings: Warning[] = [];
  // Words are sorted as they are written, so that their order makes no other image; expansion may give several.
  const words = instruction.ports.toSorted(byBytes).flatMap((word) => expander.words(word));
  const ports: string[] = [];
  for (const word of words) {
    for (const port of parsePort(word, instruction.lines, warnings)) ports.push(port);
    if (ports.length > maxPorts) throw fault(`EXPOSE names more than ${maxPorts} ports`);
  }
  return {
    state: withConfig(state, { ExposedPorts: { ...state.config.ExposedPorts, ...Object.fromEntries(ports.map((port) => [port, {}])) } }),
    history: emptyEntry(`EXPOSE ${list(ports)}`),
    warnings,
  };
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Every port of one word as `port/protocol`. */
function parsePort(word: string, lines: Lines, warnings: Warning[]): string[] {
  const fail = (what: string): never => {
    throw fault(`invalid port ${JSON.stringify(word)} in EXPOSE: ${what}`, 'Ports are written as 80, 80/tcp or 8000-8010/udp.');
  };
  const parts = word.split(':');
  const container = parts.at(-1)!;
  const host = parts.at(-2) ?? '';
  const address = parts.slice(0, -2).join(':');
  const slash = container.indexOf('/');
  const numbers = slash < 0 ? container : container.slice(0, slash);
  const written = slash < 0 ? '' : container.slice(slash + 1);
  const protocol = written.toLowerCase() || 'tcp';
  if (numbers === '') fail('no port specified');
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) fail(`invalid proto: ${written}`);
  if (written !== written.toLowerCase()) {
    warnings.push({ rule: 'ExposeProtoCasing', text: `Defined protocol '${word}' in EXPOSE instruction should be lowercase`, line: lines.start });
  }
  if (address !== '' || host !== '') {
    const text = `EXPOSE instruction should not define an IP address or host-port mapping, found '${word}'`;
    warnings.push({ rule: 'ExposeInvalidFormat', text, line: lines.start });
  }
  if (address !== '' && isIP(address.replace(/^\[(.*)\]$/, '$1')) === 0) fail(`invalid IP address: ${address}`);
  const range = parseRange(numbers) ?? fail(`invalid containerPort: ${numbers}`);
  if (host !== '') {
    const hostRange = parseRange(host) ?? fail(`invalid hostPort: ${host}`);
    // One container port may have a range of host ports to choose from.
    if (range.end !== range.start && range.end - range.start !== hostRange.end - hostRange.start) {
      fail(`invalid ranges specified for container and host Ports: ${numbers} and ${host}`);
    }
  }
  return Array.from({ length: range.end - range.start + 1 }, (_, i) => `${range.start + i}/${protocol}`);
}

function parseRange(text: string): { start: number; end: number } | undefined {
  const parts = /^(\+?\d+)(?:-(\+?\d+))?$/.exec(text);
  if (!parts) return undefined;
  const start = Number(parts[1]);
  const end = Number(parts[2] ?? parts[1]);
  return end < start || end > 65535 ? undefined : { start, end };
}
