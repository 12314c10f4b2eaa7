/** A parsed Go template and a value give text. */
import { templateFault } from './fault.ts';
import { functions } from './functions.ts';
import type { TemplateFunction } from './functions.ts';
import type { Node, Operand, Pipe, Template } from './parse.ts';
import { isMap, isStruct, isTrue, printValue, typeOf } from './value.ts';

/** Throws USAGE with the position of what cannot be carried out. */
export function renderTemplate(template: Template, data: unknown, known: Record<string, TemplateFunction> = functions): string {
  const run: Run = { steps: 0, template, known, data, out: [] };
  walk(run, template.nodes, data, { values: new Map([['', data]]) });
  return run.out.join('');
}

/** Most nodes that are carried out for one value; ranges inside ranges multiply. */
export const maxTemplateSteps = 10_000_000;

interface Run {
  steps: number;
  template: Template;
  known: Record<string, TemplateFunction>;
  data: unknown;
  out: string[];
}

interface Scope {
  values: Map<string, unknown>;
  outer?: Scope;
}

/** How a list of nodes ended. */
type Ended = 'break' | 'continue' | undefined;

function walk(run: Run, nodes: Node[], dot: unknown, scope: Scope): Ended {
  for (const node of nodes) {
    switch (node.kind) {
      case 'text':
        run.out.push(node.text);
        break;
      case 'action': {
        const value = evaluate(run, node.pipe, dot, scope);
        if (node.pipe.variables.length === 0) run.out.push(printValue(value));
        break;
      }
      case 'break':
      case 'continue':
        return node.kind;
      case 'range': {
        const ended = walkRange(run, node, dot, scope);
        if (ended) return ended;
        break;
      }
      default: {
        const inner: Scope = { values: new Map(), outer: scope };
        const value = evaluate(run, node.pipe, dot, inner);
        const taken = isTrue(value);
        const ended = walk(run, taken ? node.body : node.otherwise, taken && node.kind === 'with' ? value : dot, inner);
        if (ended) return ended;
      }
    }
  }
  return undefined;
}

function walkRange(run: Run, node: Extract<Node, { kind: 'if' | 'with' | 'range' }>, dot: unknown, scope: Scope): Ended {
  const { pipe } = node;
  const value = commandsOf(run, pipe, dot, scope);
  const entries = entriesOf(value);
  if (!entries) throw templateFault(run.template.text, pipe.at, `range cannot go over ${typeOf(value)}`);
  for (const [key, element] of entries) {
    if ((run.steps += 1 + node.body.length) > maxTemplateSteps) throw templateFault(run.template.text, pipe.at, `it takes more than ${maxTemplateSteps} steps`);
    const inner: Scope = { values: new Map(), outer: scope };
    const [first, second] = pipe.variables;
    const bind = (name: string, bound: unknown): void => (pipe.declares ? void inner.values.set(name, bound) : assign(scope, name, bound));
    if (first !== undefined) bind(first, second === undefined ? element : key);
    if (second !== undefined) bind(second, element);
    if (walk(run, node.body, element, inner) === 'break') break;
  }
  if (entries.length === 0) return walk(run, node.otherwise, dot, { values: new Map(), outer: scope });
  return undefined;
}

/** Maps are gone through in the order of their keys, as Go does; a number stands for 0 up to it. */
function entriesOf(value: unknown): [unknown, unknown][] | undefined {
  if (value === null || value === undefined) return [];
  if (Array.isArray(value)) return value.map((item, position) => [position, item]);
  if (isMap(value)) return Object.keys(value).sort().map((key) => [key, value[key]]);
  if (typeof value === 'number' && Number.isInteger(value) && value < 1e6) return Array.from({ length: Math.max(0, value) }, (_, position) => [position, position]);
  return undefined;
}

function evaluate(run: Run, pipe: Pipe, dot: unknown, scope: Scope): unknown {
  const value = commandsOf(run, pipe, dot, scope);
  for (const name of pipe.variables) {
    if (pipe.declares) scope.values.set(name, value);
    else assign(scope, name, value);
  }
  return value;
}

function commandsOf(run: Run, pipe: Pipe, dot: unknown, scope: Scope): unknown {
  let value: unknown;
  for (const [position, command] of pipe.commands.entries()) value = call(run, command, dot, scope, position > 0 ? [value] : []);
  return value;
}

function call(run: Run, command: Operand[], dot: unknown, scope: Scope, piped: unknown[]): unknown {
  const [head, ...rest] = command as [Operand, ...Operand[]];
  const { text } = run.template;
  if (head.base.kind !== 'function' || head.fields.length > 0) {
    if (rest.length > 0 || piped.length > 0) throw templateFault(text, head.at, `${head.text} is no function, so it takes no arguments`);
    return operand(run, head, dot, scope);
  }
  const { name } = head.base;
  if (name === 'and' || name === 'or') {
    const stop = name === 'or';
    let value: unknown;
    for (const part of rest) if (isTrue((value = operand(run, part, dot, scope))) === stop) return value;
    return piped.length > 0 ? piped[0] : value;
  }
  const known = Object.hasOwn(run.known, name) ? run.known[name] : undefined;
  if (!known) {
    throw templateFault(text, head.at, `unknown function ${name}`, `there are ${['and', 'or', ...Object.keys(run.known)].sort().join(', ')}`);
  }
  const values = [...rest.map((part) => operand(run, part, dot, scope)), ...piped];
  if (values.length < Math.min(known.length, 2)) throw templateFault(text, head.at, `${name} wants ${known.length} arguments and has ${values.length}`);
  try {
    return known(...values);
  } catch (error) {
    throw templateFault(text, head.at, `${name} ${(error as Error).message}`);
  }
}

function operand(run: Run, part: Operand, dot: unknown, scope: Scope): unknown {
  let value: unknown;
  switch (part.base.kind) {
    case 'dot':
      value = dot;
      break;
    case 'variable':
      value = lookUp(scope, part.base.name);
      break;
    case 'literal':
      value = part.base.value;
      break;
    case 'pipe':
      value = evaluate(run, part.base.pipe, dot, scope);
      break;
    case 'function':
      value = call(run, [{ ...part, fields: [] }], dot, scope, []);
  }
  for (const { name, at } of part.fields) value = fieldOf(run, value, name, at);
  return value;
}

function fieldOf(run: Run, value: unknown, name: string, at: number): unknown {
  if (isMap(value)) {
    if (Object.hasOwn(value, name)) return value[name];
    if (!isStruct(value)) return undefined;
    throw templateFault(run.template.text, at, `there is no field .${name}`, `there are ${Object.keys(value).map((key) => `.${key}`).join(', ')}`);
  }
  if (value === undefined || value === null) throw templateFault(run.template.text, at, `.${name} is asked of nothing`);
  throw templateFault(run.template.text, at, `${typeOf(value)} has no field .${name}`);
}

function lookUp(scope: Scope, name: string): unknown {
  for (let at: Scope | undefined = scope; at; at = at.outer) if (at.values.has(name)) return at.values.get(name);
  return undefined;
}

function assign(scope: Scope, name: string, value: unknown): void {
  for (let at: Scope | undefined = scope; at; at = at.outer) if (at.values.has(name)) return void at.values.set(name, value);
}
