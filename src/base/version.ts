/** Which Siru this is. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version of this package, or `unknown` where the package's own file is not beside the program. */
export function version(): string {
  let folder = import.meta.dirname;
  // src/base, dist/lib/base and a bundled file stand at different depths below package.json.
  for (let depth = 0; depth < 4; depth++, folder = dirname(folder)) {
    try {
      const found = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown; version?: unknown };
      if (found.name === 'siru' && typeof found.version === 'string') return found.version;
    } catch {
      // not in this folder
    }
  }
  return 'unknown';
}
