/** The ways to show progress. */

export const progressModes = ['auto', 'tty', 'plain', 'quiet', 'json'] as const;
export type ProgressMode = (typeof progressModes)[number];
