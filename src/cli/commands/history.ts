/** `siru history` */
import type { Command } from 'commander';
import { shortId } from '../../oci/digest.ts';
import { readImage } from '../../images/read.ts';
import { resolveImage } from '../../images/resolve.ts';
import { layerSizes } from '../../images/sizes.ts';
import type { Call } from '../call.ts';
import { formatListing } from '../format.ts';
import { harmlessLine } from '../sanitize.ts';
import { ago, humanSize } from '../units.ts';

interface Flags {
  format?: string;
  human: string | boolean;
  trunc: boolean;
  quiet?: boolean;
  platform?: string;
}

interface Row {
  id: string;
  created?: number;
  createdBy: string;
  size: number;
  comment: string;
}

const shownCommand = 45;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE')
    .argument('<image>')
    .option('--format <template>', "'table', 'table TEMPLATE', 'json' or a Go template")
    .option('-H, --human [bool]', 'Sizes and dates for people', true)
    .option('--no-trunc', "Don't truncate")
    .option('-q, --quiet', 'Show image IDs only')
    .option('--platform <platform>', 'Of an image for several platforms')
    .addHelpText('after', `
Fields: .ID .CreatedSince .CreatedAt .CreatedBy .Size .Comment

Examples:
  siru history app:1.0
  siru history --no-trunc --format '{{.Size}}\\t{{.CreatedBy}}' app:1.0`);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<void> {
  const store = await call.store();
  const { parsePlatform } = await import('../../oci/platform.ts');
  const image = readImage(store, resolveImage(store, operands[0]!), flags.platform === undefined ? undefined : parsePlatform(flags.platform));
  const sizes = layerSizes(store, image);
  let layer = 0;
  const rows: Row[] = (image.config.history ?? []).map((entry) => {
    const time = Date.parse(entry.created ?? '');
    const row: Row = { id: '<missing>', createdBy: entry.created_by ?? '', size: entry.empty_layer ? 0 : (sizes[layer++] ?? 0), comment: entry.comment ?? '' };
    if (!Number.isNaN(time)) row.created = time;
    return row;
  });
  // Layers that the history says nothing of, as in images that other tools made.
  for (; layer < sizes.length; layer++) rows.push({ id: '<missing>', createdBy: '', size: sizes[layer]!, comment: '' });
  rows.reverse();
  if (rows[0]) rows[0].id = flags.trunc ? shortId(image.configDigest) : image.configDigest;

  const human = !/^(?:false|0)$/i.test(String(flags.human));
  const now = Date.now();
  call.print(formatListing<Row>({
    rows,
    fields: [
      { name: 'ID', heading: 'IMAGE', of: ({ id }) => id },
      { name: 'CreatedSince', heading: human ? 'CREATED' : 'CREATED AT', of: ({ created }) => (human ? ago(created, now) : createdAt(created)) },
      { name: 'CreatedAt', heading: 'CREATED AT', of: ({ created }) => createdAt(created) },
      { name: 'CreatedBy', heading: 'CREATED BY', of: ({ createdBy }) => shortened(harmlessLine(createdBy), flags.trunc) },
      { name: 'Size', heading: 'SIZE', of: ({ size }) => (human ? humanSize(size) : String(size)) },
      { name: 'Comment', heading: 'COMMENT', of: ({ comment }) => harmlessLine(comment) },
    ],
    columns: ['ID', 'CreatedSince', 'CreatedBy', 'Size', 'Comment'],
    key: 'ID',
  }, flags.format, flags.quiet));
}

function createdAt(time: number | undefined): string {
  return time === undefined ? 'N/A' : `${new Date(time).toISOString().slice(0, 19)}Z`;
}

function shortened(text: string, shorten: boolean): string {
  return shorten && text.length > shownCommand ? `${text.slice(0, shownCommand - 1)}…` : text;
}
