/** What a case of the checks is. */
export interface CaseOptions {
  /** Text of the ignore file. */
  ignore?: string;
  /** `--build-arg`. */
  args?: Record<string, string>;
  target?: string;
  /** The oracle that was at hand says otherwise: see the file's head. */
  newer?: true;
  /** It cannot be built. */
  fails?: true;
}

/** `expected`: `Rule LINES: text`, by line. */
export type CheckCase = [name: string, dockerfile: string, expected: string[], options?: CaseOptions];
