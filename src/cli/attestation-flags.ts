/** `--attest`, `--sbom` and `--provenance`: no attestations are made, and saying so is accepted. */
import { Option } from 'commander';
import type { Command } from 'commander';
import { SiruError } from '../base/errors.ts';
import { collect, parseFields } from './arguments.ts';

export interface AttestationFlags {
  attest: string[];
  /** True without a value. */
  sbom?: string | true;
  provenance?: string | true;
}

export function addAttestationFlags(command: Command): void {
  command.addOption(new Option('--attest <attestation>').argParser(collect).default([]).hideHelp());
  for (const flag of ['--sbom [sbom]', '--provenance [provenance]']) command.addOption(new Option(flag).hideHelp());
}

/** Throws UNSUPPORTED when an attestation is asked for. */
export function refuseAttestations({ attest, sbom, provenance }: AttestationFlags): void {
  if (sbom !== undefined && !isOff(sbom)) refuse('--sbom', 'sbom');
  if (provenance !== undefined && !isOff(provenance)) refuse('--provenance', 'provenance');
  for (const text of attest) if (!isOff(text)) refuse(`--attest ${text}`, parseFields(text).get('type') ?? '');
}

/** `false` as Go writes it, or with `disabled=true`. */
function isOff(value: string | true): boolean {
  if (value === true) return false;
  if (/^(?:0|f|false)$/i.test(value)) return true;
  return /^(?:1|t|true)?$/i.test(parseFields(value).get('disabled') ?? 'false');
}

function refuse(flag: string, type: string): never {
  throw new SiruError('UNSUPPORTED', `${flag}: attestations are not made yet, and none is made up`, {
    hint: type === 'sbom' ? 'Leave it out, and let a scanner make the SBOM of the image.' : 'Leave it out, or say --provenance=false.',
  });
}
