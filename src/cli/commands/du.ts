/** `siru du`, docker's `system df` */
import type { Command } from 'commander';
import type { Call } from '../call.ts';
import { formatListing } from '../format.ts';
import { humanSize } from '../units.ts';

interface Flags {
  format?: string;
  verbose?: boolean;
}

interface Row {
  type: string;
  count?: number;
  active?: number;
  bytes: number;
  reclaimable?: number;
}

export function configure(command: Command): void {
  command
    .usage('[OPTIONS]')
    .option('--format <template>', "'table', 'table TEMPLATE', 'json' or a Go template")
    .option('-v, --verbose', 'Also where the store is')
    .addHelpText('after', "\nFields: .Type .TotalCount .Active .Size .Reclaimable\n\nExamples:\n  siru du\n  siru du --format '{{.Type}}: {{.Size}}'");
}

export async function run(call: Call, _operands: string[], flags: Flags): Promise<void> {
  const store = await call.store();
  const usage = await store.usage();
  const rows: Row[] = [
    { type: 'Images', ...usage.images },
    { type: 'Build Cache', ...usage.cache },
    { type: 'Unpacked Layers', count: usage.layers.count, bytes: usage.layers.bytes },
    { type: 'Cache Mounts', count: usage.cacheMounts.count, bytes: usage.cacheMounts.bytes },
    { type: 'Build History', count: usage.history.count, bytes: usage.history.bytes },
    { type: 'Failed Steps', count: usage.failedSteps.count, bytes: usage.failedSteps.bytes, reclaimable: usage.failedSteps.bytes },
    { type: 'Database', bytes: usage.database.bytes },
    { type: 'Temporary', bytes: usage.temporary.bytes },
  ];
  const count = (value: number | undefined): string => (value === undefined ? '' : String(value));
  call.print(formatListing<Row>({
    rows,
    fields: [
      { name: 'Type', heading: 'TYPE', of: ({ type }) => type },
      { name: 'TotalCount', heading: 'TOTAL', of: (row) => count(row.count) },
      { name: 'Active', heading: 'ACTIVE', of: (row) => count(row.active) },
      { name: 'Size', heading: 'SIZE', of: ({ bytes }) => humanSize(bytes, 4) },
      { name: 'Reclaimable', heading: 'RECLAIMABLE', of: ({ reclaimable, bytes }) => (reclaimable === undefined ? '' : `${humanSize(reclaimable, 4)}${bytes > 0 ? ` (${Math.floor((reclaimable / bytes) * 100)}%)` : ''}`) },
    ],
    columns: ['Type', 'TotalCount', 'Active', 'Size', 'Reclaimable'],
  }, flags.format));
  if (flags.format === undefined) call.print(`\nTotal: ${humanSize(usage.total, 4)}${flags.verbose ? ` in ${store.root}` : ''}\n`);
}
