/** `--output`, `--push`, `--load` and `--annotation`. What they say is read by parse-outputs.ts. */
import type { Command } from 'commander';
import { collect } from './arguments.ts';

export interface OutputFlags {
  output: string[];
  annotation: string[];
  push?: boolean;
  load?: boolean;
}

export function addOutputFlags(command: Command): void {
  command
    .option('-o, --output <output>', 'Where the result goes: DIR, -, or type=image|registry|oci|docker|local|tar|cacheonly,...', collect, [])
    .option('--push', 'Push every name after the build')
    .option('--load', 'Keep the image in the store: so it is without --output')
    .option('--annotation <annotation>', '[kind[platform]:]key=value in the manifest, or in index, manifest-descriptor, index-descriptor', collect, []);
}

/** Of `--allow`: `mode=delete` may remove files anywhere. */
export const deleteEntitlement = 'buildx.local.delete';

/** Whether the command line says anything of outputs. */
export function asksForOutputs({ output, annotation, push, load }: OutputFlags): boolean {
  return output.length > 0 || annotation.length > 0 || push === true || load === true;
}
