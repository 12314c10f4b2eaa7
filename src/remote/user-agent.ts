/** The name that Siru gives of itself to servers. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `siru/<version of this package>`, or `siru` where the package's own file is not beside the program. */
export function userAgent(): string {
  let folder = import.meta.dirname;
  // src/remote, dist/lib/remote and a single bundled file stand at different depths below package.json.
  for (let depth = 0; depth < 4; depth++, folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown; version?: unknown };
      if (name === 'siru' && typeof version === 'string') return `siru/${version}`;
    } catch {
      // not in this folder
    }
  }
  return 'siru';
}
