/** Text from outside made harmless for a terminal: only colours (SGR) may pass. */
// oxlint-disable no-control-regex -- control characters are what this file is about

const controls = /\x1b\[[0-9;:]*m|\x1b(?:\[[0-?]*[ -/]*[@-~]|[\]PX^_][^\x07\x1b]*(?:\x07|\x1b\\|$)|[ -/]*[0-~]|$)|\x9b[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g;

/** For logs: cursor movements, titles, clipboards and the like go; colours, tabs and line breaks stay. */
export function harmlessLog(text: string): string {
  return text.replace(controls, (found) => (/^\x1b\[[0-9;:]*m$/.test(found) ? found : ''));
}

export { harmlessLine } from '../base/harmless-line.ts';

/** The same for text that has lines of its own, such as messages of errors. */
export function harmlessText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g, '?');
}

/** Without colours too, for terminals that show none. */
export function withoutColour(text: string): string {
  return text.replace(/\x1b\[[0-9;:]*m/g, '');
}

/** For JSON, which escapes only some controls by itself: the others are written as escapes, so that its value stays what it was. */
export function harmlessJson(text: string): string {
  return text.replace(/[\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
