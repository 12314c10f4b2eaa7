/** The two checks of `FROM --platform`. */
import { parsePlatform, type Platform } from '../../oci/platform.ts';
import type { Check } from './check.ts';

/** The target platform is what FROM takes anyway. */
export const redundantTargetPlatform: Check = ({ stages }) =>
  stages
    .filter(({ from }) => /^\$(?:TARGETPLATFORM|\{TARGETPLATFORM\})$/.test(from.platform ?? ''))
    .map(({ from }) => ({ text: `Setting platform to predefined ${from.platform} in FROM is redundant as this is the default behavior`, line: from.lines.start }));

/** A constant platform makes the stage the same for every target, which is meant where the stage's name says so. */
export const fromPlatformFlagConstDisallowed: Check = ({ stages }) =>
  stages.flatMap(({ name, from }) => {
    if (from.platform === undefined || from.platform.includes('$')) return [];
    const platform = read(from.platform);
    if (!platform || (name !== undefined && (name.includes(platform.os) || name.includes(platform.architecture)))) return [];
    return [{ text: `FROM --platform flag should not use constant value ${JSON.stringify(from.platform)}`, line: from.lines.start }];
  });

function read(text: string): Platform | undefined {
  try {
    return parsePlatform(text);
  } catch {
    return undefined; // An error of the build itself.
  }
}
