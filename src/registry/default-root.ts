/** Where a registry keeps its content when nobody says. */
import { isAbsolute, join } from 'node:path';
import { homeFolder } from '../base/home-folder.ts';

export function defaultRegistryRoot(): string {
  if (process.getuid?.() === 0) return '/var/lib/siru-registry';
  const xdg = process.env['XDG_DATA_HOME'];
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homeFolder(), '.local', 'share'), 'siru-registry');
}
