/** The style sheet as it is served: under a name that changes with it, so that browsers may keep it for good. */
import { createHash } from 'node:crypto';
import { css } from './style-sheet.ts';

const hash = createHash('sha256').update(css).digest('hex').slice(0, 16);

export const stylePath: string = `/_siru/web/${hash}.css`;
export const styleBytes: Buffer = Buffer.from(css);
