/** What COPY, ADD and WORKDIR need of the stage and the session that they belong to. */
import type { Context } from '../../base/context.ts';
import type { View } from '../../layer/toc-contract.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Store } from '../../store/store.ts';
import type { GitSource } from '../contexts/git-url.ts';
import type { SourceTree } from '../contexts/source.ts';
import type { Lookout } from '../guard/guard.ts';
import type { Pins } from '../lock/pins.ts';
import type { Looking } from '../../solver/step.ts';
import type { SourceRef } from '../step-plan.ts';

export interface FileStepDeps {
  /** The instruction, for people. */
  text: string;
  /** See Step.slots. */
  slots: string[];
  store: Store;
  /** For parts(), which gets none; execute() uses the one that it is given. */
  context: Context;
  /** The merged view of the layers below; opened when it is asked for. */
  view(): Promise<View>;
  /** A regular file of the view, links followed; undefined when there is none. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /** The files that an instruction copies from. */
  source(from: SourceRef): Promise<SourceTree>;
  /** The files of a repository, for ADD. */
  git?(source: GitSource): Promise<SourceTree>;
  /** Bytes of a secret, for what is fetched with a login; undefined when it was not given. */
  secret?: (id: string) => Promise<Uint8Array | undefined>;
  /** What the lock file says, when the build has one. */
  pins?: Pins;
  /** No server is asked. */
  offline?: boolean;
  /** Gets, for a layer that was made, the one that its place had before; they share most files. */
  similar?: Map<Digest, Digest>;
  /** Nothing is written: neither a layer while the key is found, nor what was learned. */
  lookOnly?: Looking;
  /** Names all that is below, for what is remembered of the step; absent when nothing is to be. */
  below?: string;
  /** SOURCE_DATE_EPOCH in seconds: no time in the layer is newer. */
  epoch?: number;
  /** The times of what is copied count: they are in the key, and no layer with other times stands in. */
  timed?: boolean;
  /** What must not be in the layer. */
  lookout?: Lookout;
}
