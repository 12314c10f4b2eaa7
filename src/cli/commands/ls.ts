/** `siru ls`: tags of a repository in a registry. */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import type { Context } from '../../base/context.ts';
import { familiarName, parseReference } from '../../oci/reference.ts';
import type { Remote } from '../../remote/client.ts';
import type { Call } from '../call.ts';
import { formatListing } from '../format.ts';
import { addRegistryFlags, registryOptions } from '../registry-flags.ts';
import type { RegistryFlags } from '../registry-flags.ts';

interface Flags extends RegistryFlags {
  digests?: boolean;
  format?: string;
  json?: boolean;
  limit?: string;
  quiet?: boolean;
}

interface Row {
  tag: string;
  digest?: string;
  mediaType?: string;
}

/** Tags whose digests are asked for at once. */
const parallel = 8;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] REPOSITORY')
    .argument('<repository>')
    .option('--digests', 'Show the digest of each tag')
    .option('--limit <count>', 'No more tags than this')
    .option('--format <template>', "'table', 'table TEMPLATE', 'json' or a Go template")
    .option('--json', 'One JSON object per tag')
    .option('-q, --quiet', 'Tags only');
  addRegistryFlags(command);
  command.addHelpText('after', `
Fields: .Tag .Digest .MediaType .Name

Examples:
  siru ls alpine --limit 20
  siru ls --digests registry.example:5000/group/app
  siru ls registry.example:5000/group/app --format '{{.Name}}@{{.Digest}}'`);
}

export async function run(call: Call, [text]: string[], flags: Flags): Promise<void> {
  const { domain, path, tag, digest } = parseReference(text!);
  if (tag !== undefined || digest !== undefined) throw new SiruError('USAGE', `${text} names one image; ls takes a repository`, { hint: `what it stands for is shown by: siru index inspect ${text}` });
  const limit = countOf(flags.limit);
  const { createRemote } = await import('../../remote/client.ts');
  await using remote = createRemote({ registries: registryOptions(call, flags) });
  const context = call.context();
  const tags: string[] = [];
  let more = false;
  // One more than is shown is asked for, so that it is known whether there are more.
  for await (const one of remote.listTags({ domain, path }, context, limit < 1000 ? { page: limit + 1 } : {})) {
    if (tags.length >= limit) {
      more = true;
      break;
    }
    tags.push(one);
  }
  const format = flags.json ? 'json' : flags.format;
  const needsDigests = flags.digests || (format !== undefined && format !== 'table' && (format === 'json' ? flags.digests : /\.(?:Digest|MediaType)\b/.test(format)));
  const rows: Row[] = needsDigests ? await withDigests(remote, { domain, path }, tags, context) : tags.map((one) => ({ tag: one }));
  call.print(formatListing({
    rows,
    fields: [
      { name: 'Tag', heading: 'TAG', of: (row) => row.tag },
      ...(needsDigests ? [
        { name: 'Digest', heading: 'DIGEST', of: (row: Row) => row.digest ?? '<none>' },
        { name: 'MediaType', heading: 'MEDIA TYPE', of: (row: Row) => row.mediaType ?? '<none>' },
      ] : []),
      { name: 'Name', heading: 'NAME', of: (row) => `${familiarName({ domain, path })}:${row.tag}` },
    ],
    columns: needsDigests ? ['Tag', 'Digest'] : ['Tag'],
    key: 'Tag',
  }, format, flags.quiet));
  if (more) call.tell(`There are more than ${limit} tags.\n`);
}

async function withDigests(remote: Remote, repository: { domain: string; path: string }, tags: readonly string[], context: Context): Promise<Row[]> {
  const { together } = await import('../../images/together.ts');
  return await together(tags, parallel, context, async (tag, inner) => {
    const head = await remote.headManifest({ ...repository, tag }, inner);
    return { tag, ...(head && { digest: head.digest, mediaType: head.mediaType }) };
  });
}

export function countOf(text: string | undefined): number {
  if (text === undefined) return Infinity;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new SiruError('USAGE', `--limit ${text}: not a number from 1 on`);
  return Number(text);
}
