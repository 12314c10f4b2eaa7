/** What the events so far add up to. Front ends draw this. */
import type { Event, StepRef, StepStatus } from '../../base/events.ts';
import { createLogLines } from './log-lines.ts';
import type { LogLines } from './log-lines.ts';

export interface StepView {
  step: StepRef;
  started: number;
  /** Absent while it runs. */
  status?: StepStatus;
  took?: number;
  bytes?: number;
  reason?: string;
  error?: string;
  /** The last lines of its output. */
  tail: string[];
  streams: { stdout: LogLines; stderr: LogLines };
}

export type TransferView = Extract<Event, { type: 'transfer' }> & { since: number };

export interface ProgressState {
  started: number;
  steps: Map<number, StepView>;
  transfers: Map<string, TransferView>;
  warnings: Extract<Event, { type: 'warning' }>[];
  /** The last thing that was said of the whole. */
  status?: string;
  done?: Extract<Event, { type: 'build-done' }>;
}

const keptLines = 30;

export function createProgressState(now: number): ProgressState {
  return { started: now, steps: new Map(), transfers: new Map(), warnings: [], status: undefined };
}

/** Takes an event in; gives the complete lines of output that it brought, which only logs do. */
export function applyEvent(state: ProgressState, event: Event, now: number): string[] {
  switch (event.type) {
    case 'step-started':
      viewOf(state, event.step, now);
      return [];
    case 'step-log': {
      const view = viewOf(state, event.step, now);
      return keep(view, view.streams[event.stream].push(event.text));
    }
    case 'step-done': {
      const view = viewOf(state, event.step, now);
      const lines = keep(view, [...view.streams.stdout.rest(), ...view.streams.stderr.rest()]);
      const { status, took, bytes, reason, error } = event;
      Object.assign(view, { status, took, bytes, reason, error });
      return lines;
    }
    case 'transfer': {
      const key = `${event.direction} ${event.what}`;
      state.transfers.set(key, { ...event, since: state.transfers.get(key)?.since ?? now });
      return [];
    }
    case 'warning': {
      const same = state.warnings.some(({ text, line }) => text === event.text && line === event.line);
      if (!same && state.warnings.length < 100) state.warnings.push(event);
      return [];
    }
    case 'status':
      state.status = event.text;
      return [];
    case 'build-done':
      state.done = event;
      return [];
  }
}

function viewOf(state: ProgressState, step: StepRef, now: number): StepView {
  let view = state.steps.get(step.id);
  if (!view) {
    view = { step, started: now, tail: [], streams: { stdout: createLogLines(), stderr: createLogLines() } };
    state.steps.set(step.id, view);
  }
  return view;
}

function keep(view: StepView, lines: string[]): string[] {
  view.tail.push(...lines.slice(-keptLines));
  if (view.tail.length > keptLines) view.tail.splice(0, view.tail.length - keptLines);
  return lines;
}

/** `[builder 2/4] RUN make`; the first stage, when it has no name, is not named: mostly it is the only one. */
export function stepLabel(step: StepRef): string {
  const stage = /^(?:stage-)?0$/.test(step.stage) ? '' : /^\d+$/.test(step.stage) ? `stage-${step.stage} ` : `${step.stage} `;
  return `[${stage}${step.index}/${step.total}] ${step.text}`;
}

/** Steps that are over, and how many the stages seen so far have. */
export function countSteps(state: ProgressState): { done: number; total: number } {
  const stages = new Map<string, number>();
  let done = 0;
  for (const { step, status } of state.steps.values()) {
    stages.set(step.stage, Math.max(stages.get(step.stage) ?? 0, step.total));
    if (status !== undefined) done++;
  }
  const total = [...stages.values()].reduce((sum, count) => sum + count, 0);
  return { done, total: Math.max(total, state.steps.size) };
}
