/** `siru copy` */
import type { Command } from 'commander';
import { SiruError, isSiruError } from '../../base/errors.ts';
import type { CopyResult } from '../../images/copy.ts';
import type { PlaceName } from '../../images/places/parse-place.ts';
import { parsePlatform } from '../../oci/platform.ts';
import { formatReference } from '../../oci/reference.ts';
import type { Call } from '../call.ts';
import { createTransferProgress } from '../progress/transfers.ts';
import type { TransferProgress } from '../progress/transfers.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';
import { humanSize } from '../units.ts';

interface Flags extends RegistryFlags {
  allTags?: boolean;
  platform?: string;
  referrers: boolean;
  quiet?: boolean;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] SOURCE TARGET')
    .argument('<source>')
    .argument('<target>')
    .option('-a, --all-tags', 'Every tag of a repository, to another repository or a layout')
    .option('--platform <platform>', 'Of an index, this image alone: linux/arm64')
    .option('--no-referrers', 'Leave signatures, SBOMs and what else refers to the image')
    .option('-q, --quiet', 'Print the digest only, and no progress');
  addRegistryFlags(command);
  command.addHelpText('after', `
Places:
  NAME[:TAG][@DIGEST]      an image in a registry; also docker://NAME
  store:IMAGE              an image of the store
  oci:FOLDER[:TAG]         in an OCI image layout
  oci-archive:FILE[:TAG]   in a tar of one
  docker-archive:FILE[:NAME]   what docker save writes

Examples:
  siru copy alpine:3.20 registry.example:5000/mirror/alpine:3.20
  siru copy registry.example:5000/app:1.0 oci:layout:1.0
  siru copy --platform linux/arm64 oci-archive:app.tar store:app:1.0`);
}

export async function run(call: Call, [source, target]: string[], flags: Flags): Promise<void> {
  const [{ parsePlace }, { copyImage }, { createRemote }] = await Promise.all([import('../../images/places/parse-place.ts'), import('../../images/copy.ts'), import('../../remote/client.ts')]);
  const [from, to] = [parsePlace(source!), parsePlace(target!)];
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  const quiet = flags.quiet ?? false;
  let progress: TransferProgress | undefined;
  const finish = (): void => {
    progress?.finish();
    progress = undefined;
  };
  const platform = flags.platform === undefined ? undefined : parsePlatform(flags.platform);
  const options = { source: from, target: to, remote, store: () => call.store(), platform, referrers: flags.referrers };
  const context = call.context((event) => (progress ??= createTransferProgress({ terminal: call.stderr, quiet, environment: call.environment })).event(event));
  try {
    if (flags.allTags) {
      const { copyTags } = await import('../../images/copy-tags.ts');
      for await (const { tag, result } of copyTags(options, context)) {
        finish();
        if (!quiet) call.tell(summary(`${target}:${tag}`, result));
        call.print(`${tag} ${result.digest}\n`);
      }
      return;
    }
    const result = await copyImage(options, context);
    finish();
    if (!quiet) call.tell(summary(target!, result));
    call.print(`${result.digest}\n`);
  } catch (error) {
    throw await withLocalName(call, from, source!, error);
  } finally {
    finish();
  }
}

function summary(target: string, { blobs: { copied, existing, mounted }, bytes, referrers }: CopyResult): string {
  if (copied + existing + mounted + referrers === 0) return `${target} is up to date\n`;
  const parts = [`${copied} ${copied === 1 ? 'blob' : 'blobs'} copied${copied > 0 ? ` (${humanSize(bytes)})` : ''}`, ...(existing > 0 ? [`${existing} there already`] : []), ...(mounted > 0 ? [`${mounted} mounted`] : []), ...(referrers > 0 ? [`${referrers} ${referrers === 1 ? 'referrer' : 'referrers'}`] : [])];
  return `${target}: ${parts.join(', ')}\n`;
}

/** A name without a word before it is of a registry; who has the image here is told how to name that. */
async function withLocalName(call: Call, from: PlaceName, text: string, error: unknown): Promise<unknown> {
  if (from.kind !== 'registry' || !isSiruError(error) || !['NOT_FOUND', 'AUTH', 'NETWORK'].includes(error.code)) return error;
  const store = await call.storeToRead().catch(() => undefined);
  const { reference } = from;
  if (!store?.images.byName(formatReference({ ...reference, tag: reference.tag ?? 'latest' }))) return error;
  return new SiruError(error.code, error.message, { cause: error, hint: `an image of this name is in the store; copy that with: siru copy store:${text} ...` });
}
