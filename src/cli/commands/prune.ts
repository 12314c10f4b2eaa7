/** `siru prune`, and docker's `image prune`, `builder prune` and `system prune`. */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import type { PruneOptions } from '../../store/store.ts';
import { collect } from '../arguments.ts';
import type { Call } from '../call.ts';
import { parseUntil } from '../image-filter.ts';
import { shortName } from '../names.ts';
import { ask } from '../prompt.ts';
import { humanSize, parseSize } from '../units.ts';

interface Flags {
  all?: boolean;
  force?: boolean;
  filter: string[];
  dryRun?: boolean;
  maxUsedSpace?: string;
  minFreeSpace?: string;
  reservedSpace?: string;
  keepStorage?: string;
  until?: string;
}

export function configure(command: Command, path: string[]): void {
  command
    .usage('[OPTIONS]')
    .option('-a, --all', path[0] === 'builder' ? 'All build cache, not only what newer steps have replaced' : 'Also images with names that no container uses, and all build cache')
    .option('-f, --force', "Don't ask")
    .option('--filter <filter>', "until=24h: only what was not used since", collect, [])
    .option('--until <age>', 'The same as --filter until=')
    .option('--max-used-space <bytes>', 'Only as much build cache as is over this size, what is worth least first')
    .option('--min-free-space <bytes>', 'Only as much build cache until this much is free on the file system')
    .option('--reserved-space <bytes>', 'Build cache that stays in any case')
    .option('--keep-storage <bytes>', 'The same as --reserved-space')
    .option('--dry-run', 'Say what would go, and remove nothing')
    .addHelpText('after', '\nExamples:\n  siru prune\n  siru prune -a -f --filter until=168h\n  siru prune --dry-run\n  siru prune -f --max-used-space 20GB --min-free-space 10GB');
}

export async function run(call: Call, _operands: string[], flags: Flags): Promise<void> {
  const options = pruneOptions(call.path, flags, Date.now());
  if (!flags.force && !flags.dryRun) {
    call.tell(`WARNING! This will remove:\n${warnings(options).map((line) => `  - ${line}\n`).join('')}\n`);
    const answer = (await ask(call, 'Are you sure you want to continue? [y/N] '))?.trim().toLowerCase();
    if (answer !== 'y' && answer !== 'yes') return call.print('Total reclaimed space: 0B\n');
  }
  const store = await call.store();
  const { treeRemover } = await import('../tree-remover.ts');
  await using remover = treeRemover(store);
  const report = await store.prune({ ...options, removeTrees: remover.removeTrees }, call.context());
  let text = '';
  if (report.images.length > 0) {
    const lines = report.images.flatMap(({ digest, names }) => [...names.map((name) => `untagged: ${shortName(name)}`), `deleted: ${digest}`]);
    text += `Deleted Images:\n${lines.join('\n')}\n\n`;
  }
  const { records, layers, blobs, cacheMounts, failed } = report;
  const more = `${cacheMounts > 0 ? `, ${cacheMounts} cache mounts` : ''}${failed > 0 ? `, ${failed} failed step${failed > 1 ? 's' : ''}` : ''}`;
  if (records + layers + blobs + cacheMounts + failed > 0) text += `Deleted: ${records} build steps, ${layers} layers, ${blobs} blobs${more}\n\n`;
  call.print(`${text}${flags.dryRun ? 'Would reclaim' : 'Total reclaimed space'}: ${humanSize(report.bytes)}\n`);
}

function pruneOptions([group]: string[], flags: Flags, now: number): PruneOptions {
  const options: PruneOptions = { all: flags.all ?? false, dryRun: flags.dryRun ?? false };
  if (group === 'image') options.only = 'images';
  if (group === 'builder' || group === 'buildx') options.only = 'cache';
  const maxUsed = sizeOf('--max-used-space', flags.maxUsedSpace);
  const minFree = sizeOf('--min-free-space', flags.minFreeSpace);
  const reserved = sizeOf('--reserved-space', flags.reservedSpace) ?? sizeOf('--keep-storage', flags.keepStorage);
  if (options.only === 'images' && (maxUsed ?? minFree ?? reserved) !== undefined) throw new SiruError('USAGE', 'sizes are those of build cache', { hint: 'siru prune, or siru builder prune' });
  Object.assign(options, maxUsed !== undefined && { maxUsed }, minFree !== undefined && { minFree }, reserved !== undefined && { reserved });
  for (const filter of [...flags.filter, ...(flags.until === undefined ? [] : [`until=${flags.until}`])]) {
    if (!filter.startsWith('until=')) throw new SiruError('USAGE', `unknown filter: ${filter}`, { hint: 'prune knows until=24h' });
    options.until = Math.max(0, now - parseUntil(filter.slice('until='.length), now));
  }
  return options;
}

function sizeOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const bytes = parseSize(text);
  if (bytes === undefined) throw new SiruError('USAGE', `${flag} ${text}: not a size`, { hint: `for example ${flag} 20GB` });
  return bytes;
}

function warnings({ all, only, maxUsed, minFree, reserved }: PruneOptions): string[] {
  if ((maxUsed ?? minFree ?? reserved) !== undefined) return ['build cache, what is worth least first, until the rest fits'];
  const lines = [];
  if (only !== 'cache') lines.push(all ? 'all images without a container that uses them' : 'all images without a name');
  if (only !== 'images') lines.push(all ? 'all build cache that no image needs, cache mounts too' : 'build steps that newer ones have replaced');
  return lines;
}
