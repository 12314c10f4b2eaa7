/** `siru registry retention`: tells what would go; removes it with --apply. */
import { SiruError } from '../../base/errors.ts';
import { createImmutable } from '../../registry/access/immutable-tags.ts';
import { retain } from '../../registry/retention/retain.ts';
import type { GoneTag } from '../../registry/retention/retain.ts';
import type { Call } from '../call.ts';
import type { RegistryFlags } from '../commands/registry.ts';
import { formatListing } from '../format.ts';
import { openRegistry } from './open-registry.ts';
import { configurationOf } from './serve.ts';

export async function retention(call: Call, flags: RegistryFlags): Promise<void> {
  const configuration = await configurationOf(flags);
  const policies = configuration.retention?.policies ?? [];
  if (policies.length === 0) {
    throw new SiruError('USAGE', 'registry retention needs policies', { hint: 'Write them under retention.policies of the file that --config names; see docs/registry.md.' });
  }
  if (flags.apply && flags.dryRun) throw new SiruError('USAGE', '--apply and --dry-run are opposites');
  await using storage = await openRegistry(call, configuration);
  const apply = flags.apply ?? false;
  const gone: GoneTag[] = [];
  const isImmutable = createImmutable(configuration.access?.immutable);
  const looked = await retain(storage.core, { policies, apply, signal: call.signal, onGone: (tag) => gone.push(tag), ...(isImmutable && { isImmutable }) });
  const day = (time: number | undefined): string => (time === undefined ? 'never' : new Date(time).toISOString().slice(0, 10));
  if (gone.length > 0) {
    call.print(formatListing({
      rows: gone,
      columns: ['Repository', 'Tag', 'Digest', 'Pushed', 'Pulled', 'Why'],
      fields: [
        { name: 'Repository', heading: 'REPOSITORY', of: ({ repository }) => repository },
        { name: 'Tag', heading: 'TAG', of: ({ tag }) => tag },
        { name: 'Digest', heading: 'DIGEST', of: ({ digest }) => digest.slice(0, digest.indexOf(':') + 13) },
        { name: 'Pushed', heading: 'PUSHED', of: ({ pushed }) => day(pushed) },
        { name: 'Pulled', heading: 'PULLED', of: ({ pulled }) => day(pulled) },
        { name: 'Why', heading: 'WHY', of: ({ why }) => why },
      ],
    }, undefined));
  }
  call.print(`${apply ? 'Removed' : 'Would remove'} ${gone.length} of ${looked} tags${apply || gone.length === 0 ? '' : '; --apply removes them'}\n`);
}
