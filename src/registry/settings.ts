/** What can be chosen about the routes; the configuration file sets it. */

export interface Settings {
  /** False: DELETE of manifests, tags and blobs is refused. */
  deletes: boolean;
  /** True: an index is refused when the repository lacks one of its manifests. The specification lets indexes be sparse. */
  requireManifests: boolean;
  /** True: a manifest is refused when the repository lacks its config or one of its layers. */
  requireBlobs: boolean;
}

export const defaultSettings: Settings = { deletes: true, requireManifests: false, requireBlobs: true };
