/** What the planning of an instruction may ask of the build around its stage. Plain data but for one look-up. */
import type { SourceText } from '../../dockerfile/errors.ts';
import type { SourceRef } from '../step-plan.ts';

export interface Scope {
  /** The Dockerfile, for the place in errors. */
  source: SourceText;
  /** `--build-arg`. */
  buildArgs: Readonly<Record<string, string>>;
  /** Arguments declared before the first FROM and the automatic ones, with their values. */
  globalArgs: ReadonlyMap<string, string>;
  escape: '\\' | '`';
  /** Proxy variables for RUN that no ARG declared: `HTTP_PROXY`, `http_proxy`, ... */
  proxy: Readonly<Record<string, string>>;
  /** Variables that each RUN has unless its stage sets them. */
  runVariables?: Readonly<Record<string, string>>;
  /** Network of a RUN that names none. */
  network: 'default' | 'none' | 'host';
  /** Goes before the ids of cache mounts (`BUILDKIT_CACHE_MOUNT_NS`). */
  cacheMountNamespace?: string;
  /** What `--from=NAME` of a COPY or `from=NAME` of a mount means here. Throws DOCKERFILE. */
  sourceOf(name: string, by: 'copy' | 'mount'): SourceRef;
}
