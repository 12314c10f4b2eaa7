/** Which tags a repository keeps. */
import { patternFault } from '../access/pattern.ts';
import type { GroupShape, Shape } from '../config/shape.ts';

export interface RetentionConfiguration {
  interval?: number;
  policies?: RetentionPolicy[];
}

export interface RetentionPolicy {
  repositories: string[];
  rules: RetentionRule[];
}

/** A rule speaks of the tags that fit, and keeps those for which one of its conditions holds; without conditions, all. */
export interface RetentionRule {
  tags?: string[];
  newest?: number;
  /** Milliseconds. */
  pushed?: number;
  pulled?: number;
  majors?: number;
  minors?: number;
  patches?: number;
}

const count = (about: string): Shape => ({ type: 'number', about, least: 0, most: 1_000_000 });
const patterns = (about: string): Shape => ({ type: 'list', about, of: { type: 'text', about: '', check: patternFault } });

export const retentionShape: GroupShape = {
  type: 'group',
  about: 'Which tags are kept.',
  members: {
    interval: { type: 'duration', about: 'Time between two runs in the server; without it only `siru registry retention` removes tags.' },
    policies: {
      type: 'list',
      about: 'The first one whose patterns fit a repository counts for it.',
      of: {
        type: 'group',
        about: '',
        required: ['repositories', 'rules'],
        members: {
          repositories: patterns('Patterns of repositories.'),
          rules: {
            type: 'list',
            about: 'A tag goes when a rule speaks of it and none keeps it.',
            of: {
              type: 'group',
              about: '',
              members: {
                tags: patterns('Patterns of the tags that the rule speaks of; all when not given.'),
                newest: count('Keeps so many that were pushed last.'),
                pushed: { type: 'duration', about: 'Keeps what was pushed within that time.' },
                pulled: { type: 'duration', about: 'Keeps what was pulled, or pushed, within that time.' },
                majors: count('Of versions: keeps the newest so many majors.'),
                minors: count('Of versions: in each of the majors, the newest so many minors.'),
                patches: count('Of versions: in each of the minors, the newest so many.'),
              },
            },
          },
        },
      },
    },
  },
};
