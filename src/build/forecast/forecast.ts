/** What `siru plan` tells of a build that was not made: plain data. */
import type { StepChange } from '../../store/store.ts';

export interface Forecast {
  /** `linux/amd64`, in the order that was asked for. */
  platforms: string[];
  steps: ForecastStep[];
  /** Images that a build would pull. */
  pulls: ForecastPull[];
  /** What `pushTo` lacks; one for each platform. */
  push?: ForecastPush;
  time: {
    /** Milliseconds from the first step to the end, stages side by side, without pulls and pushes. */
    took: number;
    /** Milliseconds of all steps that would be executed, one after the other. */
    work: number;
    /** Numbers of steps that would be executed and of which nothing tells how long they take. */
    untimed: number[];
  };
}

export type ForecastStatus =
  | 'hit' // its result is there
  | 'miss' // it would be executed, or pulled
  | 'unknown'; // that depends on what a step gives that would be executed

export interface ForecastStep {
  /** 1-based, over all stages and platforms, in the order in which they can be executed. */
  number: number;
  /** With the platform before it when there are several. */
  stage: string;
  index: number;
  total: number;
  line: number;
  text: string;
  status: ForecastStatus;
  /** For `unknown`: what it is if everything is as it was the last time. */
  likely?: 'hit' | 'miss';
  /** For a hit: the cache outside of the store that has it. */
  from?: string;
  /** It would be executed, and is known to give the layer that is there: what stands on it is not touched. */
  same?: true;
  /** In one line: the first reason of a miss, or what an unknown depends on. */
  why?: string;
  /** Number of the step whose execution settles it, or brought it about. */
  dependsOn?: number;
  /** What changed since the place was last built. */
  changes?: StepChange[];
  /** Milliseconds that it took the last time; for what would or may be executed. */
  took?: number;
  /** Of FROM an image. */
  base?: { name: string; digest: string };
}

export interface ForecastPull {
  name: string;
  platform: string;
  digest: string;
  /** Bytes that are not here: documents, configuration and layers. */
  bytes: number;
  layers: { digest: string; size: number; here: boolean }[];
}

export interface ForecastPush {
  name: string;
  layers: PushedLayer[];
  /** Bytes that would be sent, as far as they are known. */
  bytes: number;
}

export interface PushedLayer {
  platform: string;
  /** Number of the step that makes it; absent for a layer of the base. */
  step?: number;
  text: string;
  state:
    | 'there' // the repository has it
    | 'mount' // another repository of that registry has it
    | 'send'
    | 'unknown'; // it is not made yet
  /** Of the blob that is sent. */
  digest?: string;
  /** Bytes of that blob. */
  size?: number;
  /** Bytes before compression, where the blob is not made yet; of the last layer of this place, where that is all that is known. */
  uncompressed?: number;
}
