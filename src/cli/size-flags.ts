/** The flags of `siru build` that say how large an image may be. Pure. */
import type { Command } from 'commander';
import { SiruError } from '../base/errors.ts';
import type { BuildOptions } from '../build/options.ts';
import { parseSize } from './units.ts';

export interface SizeFlags {
  maxSize?: string;
  maxWaste?: string;
  warnGrowth?: string;
}

export function addSizeFlags(command: Command): void {
  command
    .option('--max-size <size>', 'Fail when the image is larger: 200MB')
    .option('--max-waste <limit>', 'Fail when steps waste more of it: 5% or 10MB')
    .option('--warn-growth <limit>', "Warn when it grew by more against its name's last image: 10%,10MB (both; the default) or off");
}

/** Throws USAGE. */
export function sizeOptions({ maxSize, maxWaste, warnGrowth }: SizeFlags): Pick<BuildOptions, 'maxSize' | 'maxWaste' | 'warnGrowth'> {
  const options: ReturnType<typeof sizeOptions> = {};
  if (maxSize !== undefined) options.maxSize = sizeOf('--max-size', maxSize);
  if (maxWaste !== undefined) options.maxWaste = limitOf('--max-waste', maxWaste);
  if (warnGrowth === 'off' || warnGrowth === 'false') options.warnGrowth = false;
  else if (warnGrowth !== undefined) options.warnGrowth = Object.assign({}, ...warnGrowth.split(',').map((text) => limitOf('--warn-growth', text)));
  return options;
}

function limitOf(flag: string, text: string): { bytes: number } | { part: number } {
  const percent = /^\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text);
  return percent ? { part: Number(percent[1]) / 100 } : { bytes: sizeOf(flag, text, ', nor a part of one') };
}

function sizeOf(flag: string, text: string, more = ''): number {
  const bytes = parseSize(text);
  if (bytes === undefined) throw new SiruError('USAGE', `${flag} ${text}: not a size${more}`, { hint: `Write it like 200MB or 1.5GiB${more === '' ? '' : ', or like 5%'}.` });
  return bytes;
}
