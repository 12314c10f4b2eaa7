/** `siru info` */
import type { Command } from 'commander';
import { formatPlatform, hostPlatform } from '../../oci/platform.ts';
import type { Probe } from '../../runtime/probe.ts';
import type { Call } from '../call.ts';
import { formatObjects } from '../format.ts';
import { version } from '../../base/version.ts';
import { asStruct } from '../template/value.ts';

interface Flags {
  format?: string;
}

export function configure(command: Command): void {
  command
    .option('-f, --format <template>', "'json' or a Go template")
    .addHelpText('after', "\nExamples:\n  siru info\n  siru info --format '{{.Rung}}'");
}

const rungs: Record<Probe['rung'], string> = {
  R0: 'R0: root',
  R1: 'R1: a user namespace with subordinate ids',
  R5: 'R5: no RUN; builds without RUN, and all else, work',
};

export async function run(call: Call, _operands: string[], { format }: Flags): Promise<void> {
  const store = await call.store();
  const found = await machine(store.path('tmp'));
  const images = store.images.list();
  const facts = {
    Version: version(),
    Root: store.root,
    Images: images.length,
    Platform: formatPlatform(hostPlatform()),
    Rung: found.rung,
    Runtime: found.runtime === undefined ? null : asStruct({ Name: found.runtime.name, Version: found.runtime.version, Path: found.runtime.path }),
    Snapshotter: found.snapshotter,
    Networks: found.network,
    Limits: found.cgroupLimits,
    UserIds: found.ids,
    Rejected: found.rejected.map(({ name, why }) => asStruct({ Name: name, Why: why })),
    Problem: found.problem ?? '',
    Missing: found.missing,
    Node: process.versions.node,
  };
  if (format !== undefined) return call.print(format === 'json' ? `${JSON.stringify(facts)}\n` : formatObjects([asStruct(facts)], format));
  const lines: [string, string][] = [
    ['Siru', facts.Version],
    ['Node', facts.Node],
    ['Store', store.root],
    ['Images', String(facts.Images)],
    ['Platform', facts.Platform],
    ['RUN', rungs[found.rung]],
    ['Runtime', found.runtime ? `${found.runtime.name} ${found.runtime.version} (${found.runtime.path})` : 'none'],
    ['Snapshotter', found.snapshotter],
    ['Networks', found.network.join(', ') || 'none'],
    ['Limits', found.cgroupLimits ? 'memory and processors' : 'none'],
    ['User IDs', String(found.ids)],
  ];
  let text = lines.map(([name, value]) => `${`${name}:`.padEnd(13)}${value}\n`).join('');
  for (const { name, why } of found.rejected) text += `${name} does not work here: ${why}\n`;
  if (found.problem !== undefined) text += `Problem:     ${found.problem}\n`;
  if (found.missing.length > 0) text += `Missing:\n${found.missing.map((sentence) => `  ${sentence}\n`).join('')}`;
  call.print(text);
}

async function machine(folder: string): Promise<Probe> {
  if (process.platform !== 'linux') {
    return { rung: 'R5', rejected: [], snapshotter: 'none', network: [], cgroupLimits: false, ids: 1, problem: `RUN needs Linux; this is ${process.platform}`, missing: ['Build on Linux, or leave RUN out of the Dockerfile.'] };
  }
  const { probe } = await import('../../runtime/probe.ts');
  return await probe({ isolation: 'auto', folder });
}
