/** Instructions that only change the image's configuration and take plain words: MAINTAINER, WORKDIR, USER, EXPOSE, VOLUME, STOPSIGNAL. */
import { fault } from '../errors.ts';
import { readFlags } from '../flags.ts';
import type { InstructionOf } from '../instruction.ts';
import type { Node } from '../parse-lines.ts';
import { wantAtLeastOne, wantExactlyOne } from './arguments.ts';
import type { Bare } from './bare.ts';

export function parseMaintainer(node: Node): Bare<InstructionOf<'maintainer'>> {
  readFlags(node);
  return { kind: 'maintainer', author: wantExactlyOne(node) };
}

export function parseWorkdir(node: Node): Bare<InstructionOf<'workdir'>> {
  readFlags(node);
  return { kind: 'workdir', path: wantExactlyOne(node) };
}

export function parseUser(node: Node): Bare<InstructionOf<'user'>> {
  readFlags(node);
  return { kind: 'user', user: wantExactlyOne(node) };
}

export function parseExpose(node: Node): Bare<InstructionOf<'expose'>> {
  readFlags(node);
  return { kind: 'expose', ports: wantAtLeastOne(node) };
}

export function parseVolume(node: Node): Bare<InstructionOf<'volume'>> {
  readFlags(node);
  const volumes = wantAtLeastOne(node).map((volume) => volume.trim());
  if (volumes.includes('')) throw fault('VOLUME specified can not be an empty string');
  return { kind: 'volume', volumes };
}

export function parseStopsignal(node: Node): Bare<InstructionOf<'stopsignal'>> {
  return { kind: 'stopsignal', signal: wantExactlyOne(node) };
}
