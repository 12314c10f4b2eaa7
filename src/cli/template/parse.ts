/** A Go template as a tree. */
import { templateFault } from './fault.ts';
import { lexTemplate } from './lex.ts';
import type { Token } from './lex.ts';

/** Deepest nesting of blocks and parentheses. */
export const maxTemplateDepth = 200;

export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'action'; pipe: Pipe }
  | { kind: 'if' | 'with' | 'range'; pipe: Pipe; body: Node[]; otherwise: Node[] }
  | { kind: 'break' | 'continue' };

export interface Pipe {
  /** Variables that get the value: one, or for range index and element. */
  variables: string[];
  /** True for `:=`, false for `=`. */
  declares: boolean;
  commands: Operand[][];
  at: number;
}

/** A word of a command, and the fields that are taken of it. */
export interface Operand {
  base:
    | { kind: 'dot' }
    | { kind: 'variable'; name: string }
    | { kind: 'function'; name: string }
    | { kind: 'literal'; value: string | number | boolean | null }
    | { kind: 'pipe'; pipe: Pipe };
  fields: { name: string; at: number }[];
  at: number;
  /** As written, for messages. */
  text: string;
}

export interface Template {
  text: string;
  nodes: Node[];
}

/** Throws USAGE with the position. */
export function parseTemplate(text: string): Template {
  const parser = new Parser(text);
  const { nodes, end } = parser.list(false);
  if (end !== 'end') throw parser.fault(`unexpected {{${end}}}`);
  return { text, nodes };
}

/** Where a list of nodes ended. */
type ListEnd = 'end' | 'else' | 'end of input';

class Parser {
  readonly text: string;
  private readonly tokens: Token[];
  private next = 0;
  private loops = 0;
  private depth = 0;
  private scopes: Set<string>[] = [new Set([''])];

  constructor(text: string) {
    this.text = text;
    this.tokens = lexTemplate(text);
  }

  fault(problem: string, at: number = this.peek().at): Error {
    return templateFault(this.text, at, problem);
  }

  /** Nodes up to `{{end}}`, `{{else}}` (whose rest stays unread) or, outside, the end of the text. */
  list(inside: boolean): { nodes: Node[]; end: ListEnd; at: number } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.take();
      if (token.kind === 'end') {
        if (inside) throw this.fault('a block is not closed: {{end}} is missing', token.at);
        return { nodes, end: 'end', at: token.at };
      }
      if (token.kind === 'text') {
        nodes.push({ kind: 'text', text: token.value });
        continue;
      }
      this.space();
      const word = this.peek();
      if (word.kind === 'name') {
        const { value: name } = word;
        if (name === 'end' || name === 'else') {
          if (!inside) throw this.fault(`unexpected {{${name}}}`, token.at);
          this.take();
          if (name === 'end') this.close();
          return { nodes, end: name, at: token.at };
        }
        if (name === 'if' || name === 'with' || name === 'range') {
          this.take();
          nodes.push(this.block(name));
          continue;
        }
        if (name === 'break' || name === 'continue') {
          this.take();
          if (this.loops === 0) throw this.fault(`{{${name}}} outside {{range}}`, token.at);
          this.close();
          nodes.push({ kind: name });
          continue;
        }
        if (name === 'define' || name === 'template' || name === 'block') throw this.fault(`{{${name}}} is not supported`, token.at);
      }
      nodes.push({ kind: 'action', pipe: this.pipe(false) });
      this.close();
    }
  }

  private block(kind: 'if' | 'with' | 'range'): Node {
    this.deeper();
    this.scopes.push(new Set());
    this.space();
    const pipe = this.pipe(kind === 'range');
    this.close();
    if (kind === 'range') this.loops++;
    const { nodes: body, end } = this.list(true);
    if (kind === 'range') this.loops--;
    let otherwise: Node[] = [];
    if (end === 'else') {
      this.space();
      const word = this.peek();
      if (word.kind === 'name' && word.value === kind && kind !== 'range') {
        this.take();
        otherwise = [this.block(kind)]; // shares its {{end}} with this one
      } else {
        this.close();
        const rest = this.list(true);
        if (rest.end === 'else') throw this.fault('a second {{else}}', rest.at);
        otherwise = rest.nodes;
      }
    }
    this.scopes.pop();
    this.depth--;
    return { kind, pipe, body, otherwise };
  }

  private pipe(forRange: boolean): Pipe {
    const { at } = this.peek();
    const pipe: Pipe = { variables: [], declares: false, commands: [], at };
    this.variables(pipe, forRange);
    for (;;) {
      pipe.commands.push(this.command());
      if (!this.symbol('|')) break;
      this.space();
    }
    if (pipe.declares) for (const name of pipe.variables) this.scopes.at(-1)!.add(name);
    return pipe;
  }

  /** `$x :=`, `$x =`, `$i, $x :=`; reads nothing when there is none. */
  private variables(pipe: Pipe, forRange: boolean): void {
    const start = this.next;
    const names: string[] = [];
    while (this.peek().kind === 'variable') {
      const { value, at } = this.take();
      names.push(value);
      this.space();
      if (this.symbol(':=') || this.symbol('=')) {
        pipe.declares = this.tokens[this.next - 1]!.value === ':=';
        if (!pipe.declares) for (const name of names) if (!this.known(name)) throw this.fault(`undefined variable $${name}`, at);
        pipe.variables = names;
        this.space();
        return;
      }
      if (!(forRange && names.length < 2 && this.symbol(','))) break;
      this.space();
    }
    this.next = start;
  }

  private command(): Operand[] {
    const operands: Operand[] = [];
    for (;;) {
      this.space();
      const token = this.peek();
      const ends = token.kind === 'close' || token.kind === 'end' || (token.kind === 'symbol' && (token.value === '|' || token.value === ')'));
      if (ends) break;
      operands.push(this.operand());
      const after = this.peek();
      if (after.kind !== 'space' && after.kind !== 'close' && !(after.kind === 'symbol' && (after.value === '|' || after.value === ')'))) {
        throw this.fault(`unexpected ${JSON.stringify(after.value)}; words are separated by spaces`);
      }
    }
    if (operands.length === 0) throw this.fault('a value is missing');
    return operands;
  }

  private operand(): Operand {
    const token = this.take();
    const fields: Operand['fields'] = [];
    let base: Operand['base'];
    switch (token.kind) {
      case 'dot':
        base = { kind: 'dot' };
        break;
      case 'field':
        base = { kind: 'dot' };
        fields.push({ name: token.value, at: token.at });
        break;
      case 'variable':
        if (!this.known(token.value)) throw this.fault(`undefined variable $${token.value}`, token.at);
        base = { kind: 'variable', name: token.value };
        break;
      case 'string':
        base = { kind: 'literal', value: token.value };
        break;
      case 'number':
        base = { kind: 'literal', value: Number(token.value) };
        break;
      case 'name':
        if (token.value === 'true' || token.value === 'false') base = { kind: 'literal', value: token.value === 'true' };
        else if (token.value === 'nil') base = { kind: 'literal', value: null };
        else base = { kind: 'function', name: token.value };
        break;
      default: {
        if (token.kind !== 'symbol' || token.value !== '(') throw this.fault(`unexpected ${JSON.stringify(token.value)}`, token.at);
        this.deeper();
        this.space();
        const pipe = this.pipe(false);
        this.depth--;
        this.space();
        if (!this.symbol(')')) throw this.fault('unclosed parenthesis', token.at);
        base = { kind: 'pipe', pipe };
      }
    }
    while (this.peek().kind === 'field') {
      const field = this.take();
      fields.push({ name: field.value, at: field.at });
    }
    return { base, fields, at: token.at, text: this.text.slice(token.at, this.peek().at) };
  }

  private deeper(): void {
    if (++this.depth > maxTemplateDepth) throw this.fault(`blocks and parentheses are nested more than ${maxTemplateDepth} deep`);
  }

  private known(name: string): boolean {
    return this.scopes.some((scope) => scope.has(name));
  }

  private peek(): Token {
    return this.tokens[this.next] ?? this.tokens.at(-1)!;
  }

  private take(): Token {
    const token = this.peek();
    this.next++;
    return token;
  }

  private space(): void {
    while (this.peek().kind === 'space') this.next++;
  }

  private symbol(value: string): boolean {
    const token = this.peek();
    if (token.kind !== 'symbol' || token.value !== value) return false;
    this.next++;
    return true;
  }

  private close(): void {
    this.space();
    const token = this.take();
    if (token.kind !== 'close') throw this.fault(`unexpected ${JSON.stringify(token.value)} before the closing braces`, token.at);
  }
}
