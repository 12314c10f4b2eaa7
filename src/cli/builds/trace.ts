/** `siru builds trace` */
import { writeFileSync } from 'node:fs';
import { SiruError, messageOf } from '../../base/errors.ts';
import { chromeTrace, openTelemetryTrace } from '../../build/history/trace.ts';
import { oneOf } from '../build-flags.ts';
import type { Call } from '../call.ts';
import type { BuildsFlags } from '../commands/builds.ts';
import { findBuild } from '../../build/history/find-build.ts';
import { harmlessJson } from '../sanitize.ts';

export async function traceBuild(call: Call, words: string | undefined, flags: BuildsFlags): Promise<void> {
  const store = await call.store();
  const format = oneOf('--format', flags.format ?? 'chrome', ['chrome', 'otlp']);
  const build = findBuild(store.builds, words, process.cwd());
  const text = `${harmlessJson(JSON.stringify(format === 'chrome' ? chromeTrace(build) : openTelemetryTrace(build)))}\n`;
  if (flags.output === undefined || flags.output === '-') return call.print(text);
  try {
    writeFileSync(flags.output, text);
  } catch (error) {
    throw new SiruError('USAGE', `-o ${flags.output}: ${messageOf(error)}`, { cause: error });
  }
}
