/** Carries out `siru build --check` and `--call`: prints the answer; nothing is built. */
import type { BuildOptions } from '../../build/options.ts';
import type { Call } from '../call.ts';
import { harmlessText } from '../sanitize.ts';
import type { BuildCall } from './method.ts';

/** Gives the exit code: 1 when a check has found something. Throws why the Dockerfile cannot be built, after the answer. */
export async function runBuildCall(call: Call, { method, format, ignoreStatus }: BuildCall, options: BuildOptions): Promise<number> {
  const print = (text: () => string, json: () => object): void => call.print(format === 'text' ? shown(call, text()) : `${JSON.stringify(json(), undefined, 2)}\n`);
  switch (method) {
    case 'check': {
      const { checkBuild } = await import('../../build/call/check.ts');
      const result = await checkBuild(options);
      if (format === 'sarif') {
        const { sarif } = await import('./sarif.ts');
        call.print(`${JSON.stringify(sarif(result), undefined, 2)}\n`);
      } else {
        const [{ checkText }, { checkJson }] = await Promise.all([import('./check-text.ts'), import('./check-json.ts')]);
        // What is not right at all is not free of warnings either.
        if (format !== 'text' || result.error === undefined || result.warnings.length > 0) print(() => checkText(result), () => checkJson(result));
      }
      for (const image of result.unknown) call.tell(harmlessText(`note: ${image} is not in the store: variables that it defines are not known; 'siru pull' it to check them too\n`));
      if (result.error !== undefined) throw result.error;
      return result.warnings.length > 0 && !ignoreStatus ? 1 : 0;
    }
    case 'outline': {
      const [{ outlineBuild }, { outlineText, outlineJson }] = await Promise.all([import('../../build/call/outline.ts'), import('./outline.ts')]);
      const outline = await outlineBuild(options);
      print(() => outlineText(outline), () => outlineJson(outline));
      return 0;
    }
    case 'targets': {
      const [{ listTargets }, { targetsText, targetsJson }] = await Promise.all([import('../../build/call/targets.ts'), import('./targets.ts')]);
      const list = await listTargets(options);
      print(() => targetsText(list), () => targetsJson(list));
      return 0;
    }
    case 'subrequests.describe': {
      const { describeText, describeJson } = await import('./describe.ts');
      print(describeText, describeJson);
      return 0;
    }
  }
}

/** Names and texts of a Dockerfile are a stranger's. */
function shown(call: Call, text: string): string {
  return call.stdout.isTTY ? harmlessText(text) : text;
}
