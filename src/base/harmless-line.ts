/** Text from outside made into one harmless line. */
// oxlint-disable no-control-regex -- control characters are what this file is about

/** For names, instructions and reasons: one line without any control character; those show as `?`. */
export function harmlessLine(text: string): string {
  return text.replace(/[\r\n\t]+/g, ' ').replace(/[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g, '?');
}
