/** The rules: BuildKit's names, so that `# check=skip=` means the same to both, and what each is about. */

export interface Rule {
  name: string;
  /** One sentence. */
  description: string;
  /** Only on when the Dockerfile asks for it; `skip` says nothing about it. */
  experimental?: true;
}

const descriptions: Record<string, string> = {
  ConsistentInstructionCasing: 'All instructions are written in one case, upper or lower',
  CopyIgnoredFile: 'What COPY and ADD name is not left out of the context by the ignore file',
  DuplicateStageName: 'A stage name means one stage',
  ExposeInvalidFormat: 'EXPOSE names ports of the container, no address or port of the host',
  ExposeProtoCasing: 'The protocol of EXPOSE is written in lower case',
  FromAsCasing: 'FROM and AS are written in the same case',
  FromPlatformFlagConstDisallowed: 'FROM --platform follows a variable, not one fixed platform',
  InvalidBaseImagePlatform: 'A base image is for the platform of the build',
  InvalidDefaultArgInFrom: 'The defaults of global arguments give an image name that exists as a name',
  InvalidDefinitionDescription: 'A comment above ARG or FROM begins with the name that it describes; an empty line or comment sets it apart',
  JSONArgsRecommended: 'CMD and ENTRYPOINT are JSON arrays, so that signals reach the program',
  LegacyKeyValueFormat: 'ENV and LABEL are written key=value',
  MaintainerDeprecated: 'MAINTAINER is out of date; a label names the author',
  MultipleInstructionsDisallowed: 'CMD, ENTRYPOINT and HEALTHCHECK stand once in a stage: only the last one counts',
  NoEmptyContinuation: 'A continued line is not followed by an empty one',
  RedundantTargetPlatform: 'FROM --platform=$TARGETPLATFORM asks for what FROM does anyway',
  ReservedStageName: 'A stage is not called by a word that has a meaning already',
  SecretsUsedInArgOrEnv: 'Secrets are not kept in ARG or ENV',
  StageNameCasing: 'Stage names are written in lower case',
  UndefinedArgInFrom: 'FROM uses arguments that are declared above it',
  UndefinedVar: 'Variables are defined before they are used',
  WorkdirRelativePath: 'A relative WORKDIR follows an absolute one of the same Dockerfile',
};

const experimental = new Set(['InvalidDefinitionDescription']);

/** All rules, sorted by name. */
export const rules: readonly Rule[] = Object.entries(descriptions).map(([name, description]) => ({ name, description, ...(experimental.has(name) ? { experimental: true } : {}) }));

/** undefined for what is told by the same way and is no rule: arguments of the command line that nobody takes. */
export function ruleOf(name: string): Rule | undefined {
  return rules.find((rule) => rule.name === name);
}

/** The page that explains a rule, in this project. */
export function pageOf({ name }: Rule): string {
  return `docs/checks/${name}.md`;
}
