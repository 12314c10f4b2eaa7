/** What a collection may take, and after which time. */
import type { GroupShape } from '../config/shape.ts';

/** Milliseconds throughout. */
export interface GarbagePolicy {
  /** After somebody was told that a thing is here, it stays so long. */
  grace: number;
  /** Manifests that no tag, index or subject leads to; kept for ever when not given. */
  untagged?: number;
  /** Manifests whose subject is not here (signatures, SBOMs); kept for ever when not given. */
  referrers?: number;
  /** Uploads that nobody went on with. */
  uploads: number;
}

/** As the configuration file has it. */
export interface GarbageConfiguration {
  schedule?: boolean;
  interval?: number;
  grace?: number;
  untagged?: number;
  referrers?: number;
  uploads?: number;
}

const hour = 3_600_000;

export const defaultInterval: number = hour;
export const defaultPolicy: GarbagePolicy = { grace: 24 * hour, uploads: 7 * 24 * hour };

export const garbageShape: GroupShape = {
  type: 'group',
  about: 'What is collected as garbage.',
  members: {
    schedule: { type: 'flag', about: 'Whether the server collects by itself.', default: 'true' },
    interval: { type: 'duration', about: 'Time between two collections.', default: '1h' },
    grace: { type: 'duration', about: 'How long a blob that no manifest names stays after a client was last told of it.', default: '24h' },
    untagged: { type: 'duration', about: 'How long manifests stay that no tag, index or subject leads to.', default: 'for ever' },
    referrers: { type: 'duration', about: 'How long manifests stay whose subject is gone: signatures, SBOMs.', default: 'for ever' },
    uploads: { type: 'duration', about: 'How long an upload that broke off can be resumed.', default: '7d' },
  },
};

export function policyOf({ grace, untagged, referrers, uploads }: GarbageConfiguration = {}): GarbagePolicy {
  return {
    grace: grace ?? defaultPolicy.grace,
    uploads: uploads ?? defaultPolicy.uploads,
    ...(untagged !== undefined && { untagged }),
    ...(referrers !== undefined && { referrers }),
  };
}
