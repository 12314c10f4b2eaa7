/** `siru layers` */
import type { Command } from 'commander';
import { shortId } from '../../oci/digest.ts';
import { readImage } from '../../images/read.ts';
import { resolveImage } from '../../images/resolve.ts';
import { describeFinding } from '../../images/xray/describe.ts';
import type { Finding, LayerReport, Xray } from '../../images/xray/xray-image.ts';
import type { Call } from '../call.ts';
import { formatListing } from '../format.ts';
import { harmlessJson, harmlessLine } from '../sanitize.ts';
import { humanSize } from '../units.ts';
import { clip } from '../width.ts';

interface Flags {
  format?: string;
  json?: boolean;
  trunc: boolean;
  platform?: string;
}

const shownStep = 60;
/** Findings below this part of the image's size are added up. */
const leastPart = 0.001;
const mostFindings = 10;

export function configure(command: Command): void {
  command
    .usage('[OPTIONS] IMAGE')
    .argument('<image>')
    .option('--json', 'All that is known, as one JSON document')
    .option('--format <template>', "'table', 'table TEMPLATE', 'json' or a Go template, for each layer")
    .option('--no-trunc', "Don't truncate steps, and show all findings")
    .option('--platform <platform>', 'Of an image for several platforms')
    .addHelpText('after', `
Fields: .Layer .DiffID .Line .Stage .Size .Bytes .Added .Changed .Repeated .Deleted .Waste .Base .Step

Examples:
  siru layers app:1.0
  siru layers --json app:1.0 | jq .efficiency
  siru layers --format '{{.Waste}}\\t{{.Step}}' app:1.0`);
}

export async function run(call: Call, operands: string[], flags: Flags): Promise<void> {
  const store = await call.store();
  const [{ xrayImage }, { parsePlatform }] = await Promise.all([import('../../images/xray/xray-image.ts'), import('../../oci/platform.ts')]);
  const image = readImage(store, resolveImage(store, operands[0]!), flags.platform === undefined ? undefined : parsePlatform(flags.platform));
  const xray = await xrayImage(store, image, call.context());
  if (flags.json) {
    const { size, waste, efficiency, layers, findings } = xray;
    call.print(`${harmlessJson(JSON.stringify({ imageId: image.configDigest, digest: image.manifestDigest, size, waste, efficiency, layers, findings }, undefined, 2))}\n`);
    return;
  }
  call.print(formatListing<LayerReport>({
    rows: xray.layers,
    fields: [
      { name: 'Layer', heading: 'LAYER', of: ({ layer }) => String(layer) },
      { name: 'DiffID', heading: 'DIFF ID', of: ({ diffId }) => (flags.trunc ? shortId(diffId) : diffId) },
      { name: 'Line', heading: 'LINE', of: ({ line }) => (line === undefined ? '' : String(line)) },
      { name: 'Stage', heading: 'STAGE', of: ({ stage }) => harmlessLine(stage ?? '') },
      { name: 'Size', heading: 'SIZE', of: ({ size }) => humanSize(size) },
      { name: 'Bytes', heading: 'BYTES', of: ({ bytes }) => humanSize(bytes) },
      { name: 'Added', heading: 'ADDED', of: ({ added }) => String(added.files) },
      { name: 'Changed', heading: 'CHANGED', of: ({ changed }) => String(changed.files) },
      { name: 'Repeated', heading: 'REPEATED', of: ({ repeated }) => String(repeated.files) },
      { name: 'Deleted', heading: 'DELETED', of: ({ deleted }) => String(deleted.files) },
      { name: 'Waste', heading: 'WASTE', of: ({ waste }) => humanSize(waste) },
      { name: 'Base', heading: 'BASE', of: ({ base }) => base },
      { name: 'Step', heading: 'STEP', of: ({ text, base }) => stepText(text, base, flags.trunc) },
    ],
    columns: ['Layer', 'Line', 'Size', 'Added', 'Changed', 'Deleted', 'Waste', 'Step'],
  }, flags.format));
  if (flags.format === undefined) call.print(summary(xray, flags.trunc));
}

function stepText(text: string, base: boolean, shorten: boolean): string {
  const whole = `${base ? '(base) ' : ''}${harmlessLine(text).replace(/ {2,}/g, ' ')}`;
  return shorten ? clip(whole, shownStep) : whole;
}

function summary(xray: Xray, shorten: boolean): string {
  const { size, waste, efficiency, findings, layers } = xray;
  const head = `\nSize: ${humanSize(size, 4)}, wasted: ${humanSize(waste, 4)}, efficiency: ${(efficiency * 100).toFixed(1)}%\n`;
  const worth = shorten ? findings.filter(({ bytes }, i) => i < mostFindings && bytes >= size * leastPart) : findings;
  const rest = findings.slice(worth.length);
  const more = rest.length === 0 ? '' : `\n${humanSize(rest.reduce((sum, { bytes }) => sum + bytes, 0))} in ${rest.length} smaller ${rest.length === 1 ? 'finding' : 'findings'}: --no-trunc shows ${rest.length === 1 ? 'it' : 'them'}\n`;
  return `${head}${worth.map((finding: Finding) => `\n${describeFinding(finding, layers)}  ${finding.advice}\n`).join('')}${more}`;
}
