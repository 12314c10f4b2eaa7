/** What the routes share: the storage, the hooks and the settings. */
import type { Access, EventSink, RouteGroup, Upstream } from './hooks.ts';
import type { Settings } from './settings.ts';
import type { Storage } from './storage.ts';

/** Without rules everybody may do everything. */
export const everybody: Access = { hasUsers: false, identify: () => undefined, allow: () => {} };

export interface AppContext {
  storage: Storage;
  access: Access;
  upstream: Upstream | undefined;
  groups: readonly RouteGroup[];
  emit: EventSink;
  settings: Settings;
  /** Requests that are not answered yet. */
  inFlight: () => number;
}
