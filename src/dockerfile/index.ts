/** The door `siru/dockerfile`: text to tree, expansion of words, ignore files, checks, errors that show the place. */
export type { Finding } from './checks/check.ts';
export { checkDockerfile } from './checks/check-dockerfile.ts';
export { checkStage } from './checks/check-stage.ts';
export { createFilter } from './checks/filter.ts';
export { checkOptionsFor, parseCheckOptions, type CheckOptions } from './checks/options.ts';
export { pageOf, ruleOf, rules, type Rule } from './checks/rules.ts';
export { detectSyntax, findDirective, readDirectives, type Directive, type Syntax } from './directives.ts';
export { DockerfileError, excerpt, withPlace, type SourceText } from './errors.ts';
export { expandWord, expandWords, type Environment, type Expansion, type ExpandOptions } from './expand.ts';
export { createMatcher, createWildcard, hasWildcard, parseIgnoreFile, parsePatterns, type IgnoreRule, type Matcher } from './ignore.ts';
export type * from './instruction.ts';
export { parseDockerfile } from './parse.ts';
export { instructionNames, parseTrigger } from './parse-instruction.ts';
export { parseLines, type Node, type ParsedLines } from './parse-lines.ts';
