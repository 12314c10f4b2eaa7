/** `siru images` */
import type { Command } from 'commander';
import { SiruError } from '../../base/errors.ts';
import { shortId } from '../../oci/digest.ts';
import { collect } from '../arguments.ts';
import type { Call } from '../call.ts';
import { formatListing } from '../format.ts';
import type { Listing } from '../format.ts';
import { imageFacts } from '../image-facts.ts';
import type { ImageFacts } from '../image-facts.ts';
import { imageFilter, referencePattern } from '../image-filter.ts';
import { nameParts } from '../names.ts';
import { ago, goTime, humanSize } from '../units.ts';

interface Flags {
  all?: boolean;
  digests?: boolean;
  filter: string[];
  format?: string;
  trunc: boolean;
  quiet?: boolean;
}

interface Row {
  facts: ImageFacts;
  repository: string;
  tag: string;
  digest: string;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] [REPOSITORY[:TAG]]')
    .argument('[repository]')
    .option('-a, --all', 'Show all images')
    .option('--digests', 'Show digests')
    .option('-f, --filter <filter>', 'dangling, label, reference, before, since or until', collect, [])
    .option('--format <template>', "'table', 'table TEMPLATE', 'json' or a Go template")
    .option('--no-trunc', "Don't truncate IDs")
    .option('-q, --quiet', 'Show image IDs only')
    .addHelpText('after', `
Fields: .ID .Repository .Tag .Digest .CreatedSince .CreatedAt .Size .Containers

Examples:
  siru images
  siru images -f dangling=true -q
  siru images --format '{{.Repository}}:{{.Tag}} {{.Size}}'
  siru images --filter reference='app:1.*'`);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<void> {
  if (operands.length > 1) throw new SiruError('USAGE', 'images takes one repository at most');
  const store = await call.store();
  const now = Date.now();
  const { findImage } = await import('../../images/resolve.ts');
  const filter = imageFilter(flags.filter, {
    now,
    find: (text) => {
      const stored = findImage(store, text);
      if (!stored) throw new SiruError('NOT_FOUND', `filter: no image ${text} here`);
      return imageFacts(store, stored);
    },
  });
  const wanted = operands[0] === undefined ? undefined : referencePattern(operands[0]);
  const rows = store.images.list()
    .map((stored) => imageFacts(store, stored))
    .filter(filter.image)
    .sort((a, b) => (b.created ?? 0) - (a.created ?? 0) || b.stored.updated - a.stored.updated)
    .flatMap((facts) => rowsOf(facts, (name) => filter.name(name) && (wanted?.(name) ?? true), wanted !== undefined));
  const ids = new Set<string>();
  const shown = flags.quiet ? rows.filter(({ facts }) => !ids.has(facts.stored.imageId) && ids.add(facts.stored.imageId)) : rows;
  call.print(formatListing(listing(shown, flags, now), flags.format, flags.quiet));
}

function rowsOf(facts: ImageFacts, isShown: (name: string) => boolean, onlyNamed: boolean): Row[] {
  const { stored } = facts;
  const digestOf = (repository: string): string => stored.repoDigests.map(nameParts).find((parts) => parts.repository === repository)?.digest ?? '<none>';
  const rows = stored.names.filter(isShown).map((name) => {
    const { repository, tag } = nameParts(name);
    return { facts, repository, tag, digest: digestOf(repository) };
  });
  if (rows.length > 0 || stored.names.length > 0) return rows;
  // A dangling image: by its digest in a registry when it has one, else without any name.
  const digests = stored.repoDigests.map(nameParts);
  if (onlyNamed) return [];
  if (digests.length === 0) return [{ facts, repository: '<none>', tag: '<none>', digest: '<none>' }];
  return digests.map(({ repository, digest }) => ({ facts, repository, tag: '<none>', digest }));
}

function listing(rows: Row[], flags: Flags, now: number): Listing<Row> {
  return {
    rows,
    fields: [
      { name: 'ID', heading: 'IMAGE ID', of: ({ facts }) => (flags.trunc ? shortId(facts.stored.imageId) : facts.stored.imageId) },
      { name: 'Repository', heading: 'REPOSITORY', of: ({ repository }) => repository },
      { name: 'Tag', heading: 'TAG', of: ({ tag }) => tag },
      { name: 'Digest', heading: 'DIGEST', of: ({ digest }) => digest },
      { name: 'CreatedSince', heading: 'CREATED', of: ({ facts }) => ago(facts.created, now) },
      { name: 'CreatedAt', heading: 'CREATED AT', of: ({ facts }) => (facts.created === undefined ? 'N/A' : goTime(facts.created)) },
      { name: 'Size', heading: 'SIZE', of: ({ facts }) => (facts.image ? humanSize(facts.size) : 'N/A') },
      { name: 'VirtualSize', heading: 'SIZE', of: ({ facts }) => humanSize(facts.size) },
      { name: 'SharedSize', heading: 'SHARED SIZE', of: () => 'N/A' },
      { name: 'UniqueSize', heading: 'UNIQUE SIZE', of: () => 'N/A' },
      { name: 'Containers', heading: 'CONTAINERS', of: () => 'N/A' },
    ],
    columns: ['Repository', 'Tag', ...(flags.digests ? ['Digest'] : []), 'ID', 'CreatedSince', 'Size'],
    key: 'ID',
  };
}
