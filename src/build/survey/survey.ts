/** What `siru context ls` tells: what the contexts of a build hold, who takes what, and what the ignore file does. Plain data. */
import type { EntryType } from '../../layer/entry.ts';

export interface ContextSurvey {
  /** The main one first, then the folders of `--build-context` that some instruction names. */
  contexts: SurveyedContext[];
  /** Instructions that take files of these contexts, by line. */
  takes: ContextTake[];
  /** Answers to `why`, in its order. */
  why: PathAnswer[];
  /** Base images that are not in the store: their variables and triggers are not known. */
  unknown: string[];
}

export interface Amount {
  /** All but folders. */
  files: number;
  folders: number;
  bytes: number;
}

export interface SurveyedContext {
  /** Of `--build-context`; absent for the main one. */
  name?: string;
  /** Path of the folder, or the address that it was fetched from. */
  place: string;
  /** With what is left out; of a context that was fetched what came. */
  holds: Amount;
  /** What the ignore file hides. */
  leftOut: Amount;
  /** What is in the context, and may be copied. */
  visible: Amount;
  /** What instructions take, and the Dockerfile and the ignore file themselves. */
  taken: Amount;
  /** What is in the context, and no instruction takes. */
  idle: Amount;
  ignore?: { file: string; rules: SurveyedRule[] };
  /** The largest of what is in the context. A folder is told apart when one thing in it has a quarter of it. */
  largest: SizedPath[];
  /** What no instruction takes, whole folders as one, the largest first: candidates for the ignore file. */
  candidates: SizedPath[];
  /** Folders that may not be read; nothing below them is counted. */
  unreadable: string[];
}

export interface SizedPath extends Amount {
  path: string;
  type: EntryType;
}

export interface SurveyedRule extends Amount {
  line: number;
  /** As written. */
  text: string;
  /** It brings back: the amounts are what would be left out without it. Otherwise they are what it, and no later rule, leaves out. */
  exception: boolean;
  /** Paths that it matches, whichever rule decides about them in the end. */
  matches: number;
}

export interface ContextTake extends Amount {
  line: number;
  stage: string;
  /** The instruction, its variables expanded. */
  text: string;
  /** Name of the context; absent for the main one. */
  context?: string;
  /** The target does not need its stage. */
  skipped?: true;
  /** Sources, and `--exclude` patterns, that match nothing. */
  empty: EmptyPattern[];
  /** Why a build would fail. */
  problems: { message: string; hint?: string }[];
}

export interface EmptyPattern {
  pattern: string;
  /** `--exclude` */
  exclude?: true;
  /** Paths that it would match if the ignore file did not hide them, and the rule that hides the first. */
  hidden?: { paths: number; rule: RuleRef };
}

export interface RuleRef {
  file: string;
  line: number;
  text: string;
}

export interface PathAnswer {
  /** As it was asked for. */
  asked: string;
  /** Inside the context. */
  path: string;
  state: 'in' | 'left out' | 'missing';
  type?: EntryType;
  /** What is in the context of it; of what is left out what is there. */
  amount?: Amount;
  /** The rule that decides, and the path that it matches: this one or a folder above. Absent when no rule matches. */
  rule?: RuleRef & { exception: boolean; /** Without it an earlier rule would leave it out. */ bringsBack?: true; at: string };
  /** Of a folder that is in the context: what is left out below it, by rule. */
  leftOutBelow: (RuleRef & Amount)[];
  /** Instructions that take it, or something of it. */
  takenBy: { line: number; stage: string; text: string }[];
  /** For `missing`. */
  message?: string;
  hint?: string;
}

/** One path of a context, for a listing. */
export interface ListedPath {
  /** Of `--build-context`; absent for the main one. */
  context?: string;
  path: string;
  type: EntryType;
  /** Of a file. */
  size: number;
  /** The rule that leaves it out. */
  leftOut?: RuleRef;
  /** Lines of the instructions that take it. */
  takenBy: number[];
}
