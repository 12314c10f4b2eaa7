/** What the parsers of single instructions give: the instruction without what all have in common. */
import type { Instruction } from '../instruction.ts';

type WithoutCommon<T> = T extends unknown ? Omit<T, 'lines' | 'source' | 'comments'> : never;

export type Bare<T extends Instruction = Instruction> = WithoutCommon<T>;
