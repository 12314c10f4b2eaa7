/** The variables that an instruction of a stage sees: the image's environment and the arguments in scope. Pure. */
import type { StageState } from '../step-plan.ts';

/** Read by the builder itself; never part of the environment. */
const builderOnly = new Set(['BUILDKIT_SBOM_SCAN_CONTEXT', 'BUILDKIT_SBOM_SCAN_STAGE']);

export function isBuilderOnly(name: string): boolean {
  return builderOnly.has(name);
}

/** `NAME=value` in two; without `=` the value is empty. */
export function splitVariable(variable: string): [name: string, value: string] {
  const equals = variable.indexOf('=');
  return equals < 0 ? [variable, ''] : [variable.slice(0, equals), variable.slice(equals + 1)];
}

/** Environment first, in its order, then arguments; an argument that overrides takes the place of the variable. */
export function variablesOf(state: StageState): Map<string, string> {
  const variables = new Map((state.config.Env ?? []).map(splitVariable));
  for (const { name, value, overridesEnv } of state.args) {
    if (value === undefined || isBuilderOnly(name)) continue;
    if (overridesEnv || !variables.has(name)) variables.set(name, value);
  }
  return variables;
}

/** Names among variablesOf(state) whose value is an argument's. */
export function argumentNamesOf(state: StageState): string[] {
  const environment = new Set((state.config.Env ?? []).map((variable) => splitVariable(variable)[0]));
  return state.args
    .filter(({ name, value, overridesEnv }) => value !== undefined && !isBuilderOnly(name) && (overridesEnv || !environment.has(name)))
    .map(({ name }) => name);
}

/** The environment with a variable set: in its place when it is there, else at the end. */
export function withVariable(environment: readonly string[], name: string, value: string): string[] {
  const variable = `${name}=${value}`;
  const at = environment.findIndex((known) => splitVariable(known)[0] === name);
  return at < 0 ? [...environment, variable] : environment.with(at, variable);
}
