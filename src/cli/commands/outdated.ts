/** `siru outdated` */
import type { Command } from 'commander';
import { existsSync } from 'node:fs';
import { SiruError } from '../../base/errors.ts';
import type { OutdatedImage } from '../../images/outdated.ts';
import { shortId } from '../../oci/digest.ts';
import { parseReference } from '../../oci/reference.ts';
import { collect } from '../arguments.ts';
import type { Call } from '../call.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';
import { harmlessText } from '../sanitize.ts';
import { alignColumns } from '../tables.ts';

interface Flags extends RegistryFlags {
  all?: boolean;
  failOn?: string;
  json?: boolean;
  lockFile: string[];
}

const usualLock = 'Dockerfile.lock';

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [NAME...]')
    .argument('[names...]')
    .option('-a, --all', 'Show those too that are up to date')
    .option('--lock-file <path>', 'Also what is locked there; a Dockerfile.lock of this directory is taken anyway', collect, [])
    .option('--json', 'All that is known, as one JSON document')
    .option('--fail-on <step>', 'Exit with 1 when something is behind by this much or more: patch, minor or major');
  addRegistryFlags(command);
  command.addHelpText('after', `
Examples:
  siru outdated
  siru outdated alpine registry.example:5000/group/app:1.10
  siru outdated --json --fail-on minor`);
}

export async function run(call: Call, names: string[], flags: Flags): Promise<number> {
  const [store, { findOutdated, isBehind, isStep, usedImages }, { createRemote }] = await Promise.all([call.store(), import('../../images/outdated.ts'), import('../../remote/client.ts')]);
  const { failOn } = flags;
  if (failOn !== undefined && !isStep(failOn)) throw new SiruError('USAGE', `--fail-on ${failOn}: not patch, minor or major`);
  const wanted = names.map((name) => ({ name, reference: parseReference(name) }));
  const files = flags.lockFile.length > 0 ? flags.lockFile : existsSync(usualLock) ? [usualLock] : [];
  const { usedByLock } = files.length > 0 ? await import('../../build/lock/used-images.ts') : { usedByLock: () => [] };
  const all = [...usedImages(store), ...files.flatMap((file) => usedByLock(file))];
  const matches = ({ reference }: (typeof wanted)[number], used: (typeof all)[number]): boolean =>
    used.reference.domain === reference.domain && used.reference.path === reference.path && (reference.tag === undefined || reference.tag === used.reference.tag);
  for (const want of wanted) {
    if (all.some((used) => matches(want, used))) continue;
    throw new SiruError('NOT_FOUND', `no image ${want.name} here that came from a registry or went to one`, { hint: 'list what there is with: siru images --digests' });
  }
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  const used = wanted.length === 0 ? all : all.filter((one) => wanted.some((want) => matches(want, one)));
  const found = await findOutdated(used, remote, store, call.context());
  const failed = failOn !== undefined && found.some((image) => image.error !== undefined || isBehind(image, failOn));
  if (flags.json) call.print(`${JSON.stringify(found, null, 2)}\n`);
  else print(call, flags.all ? found : found.filter((image) => image.error !== undefined || isBehind(image, 'patch') || image.change !== 'same'), found.length);
  return failed ? 1 : 0;
}

function print(call: Call, images: OutdatedImage[], total: number): void {
  if (images.length === 0) return call.tell(total === 0 ? 'no image here came from a registry or went to one\n' : `up to date: ${total} ${total === 1 ? 'name' : 'names'}\n`);
  const several = images.some(({ place }) => place !== 'store');
  const rows = images.map(({ name, place, platform, here, now, change, newer, error }) => [
    platform === undefined ? name : `${name} ${platform}`, ...(several ? [place] : []), shown(here), now ? shown(now) : '-', error === undefined ? change : 'unknown',
    error === undefined ? (Object.entries(newer).map(([step, tag]) => `${tag} (${step})`).join(', ') || '-') : harmlessText(error),
  ]);
  const head = ['NAME', ...(several ? ['PLACE'] : []), 'HERE', 'NOW', 'CHANGE', 'NEWER'];
  call.print(`${alignColumns([head, ...rows].map((cells) => cells.join('\t')).join('\n'))}\n`);
}

function shown({ version, digest }: { version?: string; digest: OutdatedImage['here']['digest'] }): string {
  return version ?? shortId(digest);
}
