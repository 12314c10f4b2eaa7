/** Progress as lines of text, for files, CI and people who ask for it; the form is BuildKit's. */
import type { Event, StepRef } from '../../base/events.ts';
import { harmlessLine, harmlessLog } from '../sanitize.ts';
import { humanSize, seconds } from '../units.ts';
import { applyEvent, createProgressState, stepLabel } from './state.ts';

export interface PlainProgress {
  /** The text that an event adds. */
  text(event: Event, now: number): string;
}

/** `terminal`: output goes to one, so what comes from outside is made harmless. */
export function createPlainProgress(options: { started: number; terminal: boolean }): PlainProgress {
  const state = createProgressState(options.started);
  const log = options.terminal ? harmlessLog : (text: string): string => text;
  // The step that spoke last; its lines stand together, a blank line parts it from the next.
  let last: number | undefined;

  const lines = (of: number, label: string | undefined, texts: string[]): string => {
    if (texts.length === 0) return '';
    let out = '';
    if (last !== of) {
      if (last !== undefined) out += '\n';
      if (label !== undefined && texts[0] !== label) out += `#${of} ${label}\n`;
      last = of;
    }
    return out + texts.map((text) => `#${of} ${text}\n`).join('');
  };
  const labelOf = (step: StepRef): string => harmlessLine(stepLabel(step));
  const stepLines = (step: StepRef, now: number, raw: string[]): string => {
    const at = ((now - (state.steps.get(step.id)?.started ?? now)) / 1000).toFixed(3);
    return lines(step.id, labelOf(step), raw.map((text) => `${at} ${log(text)}`));
  };

  return {
    text(event, now) {
      const complete = applyEvent(state, event, now);
      switch (event.type) {
        case 'step-started':
          // Only what may take long without a word is announced; the others' first line is their outcome.
          return /^(RUN|ADD)\b/.test(event.step.text) ? lines(event.step.id, labelOf(event.step), [labelOf(event.step)]) : '';
        case 'step-log':
          return stepLines(event.step, now, complete);
        case 'step-done':
          return stepLines(event.step, now, complete) + lines(event.step.id, labelOf(event.step), outcome(event));
        case 'transfer': {
          const text = transferText(event);
          return text === undefined ? '' : lines(0, undefined, [text]);
        }
        case 'status':
          return lines(0, undefined, [harmlessLine(event.text)]);
        default:
          return ''; // warnings and the result stand in the summary
      }
    },
  };
}

function outcome(event: Extract<Event, { type: 'step-done' }>): string[] {
  const size = event.bytes === undefined ? '' : ` ${humanSize(event.bytes)}`;
  const texts = [];
  switch (event.status) {
    case 'cached':
      texts.push(`CACHED${size}${event.from === undefined ? '' : `, found in ${harmlessLine(event.from)}`}`);
      break;
    case 'executed':
      texts.push(`DONE ${seconds(event.took)}${size}`);
      break;
    case 'same':
      texts.push(`DONE ${seconds(event.took)}${size}, executed, same result`);
      break;
    case 'config':
      texts.push(`DONE ${seconds(event.took)}`);
      break;
    case 'failed':
      texts.push(`ERROR: ${harmlessLine((event.error ?? 'failed').split('\n', 1)[0]!)}`);
      break;
    case 'cancelled':
      texts.push('CANCELED');
  }
  if (event.reason !== undefined && event.status !== 'cached') texts.push(`missed: ${harmlessLine(event.reason)}`);
  return texts;
}

/** Unpacking less than this many bytes takes no time that a person would ask about. */
const worthTelling = 20_000_000;

function transferText(event: Extract<Event, { type: 'transfer' }>): string | undefined {
  if (event.state === 'waiting' || event.state === 'moving') return undefined;
  if (event.direction === 'unpack' && (event.state === 'exists' || (event.total ?? 0) < worthTelling)) return undefined;
  const bytes = event.total ?? event.bytes;
  const size = bytes === undefined || event.state === 'exists' ? '' : ` ${humanSize(bytes)}`;
  return `${event.direction} ${harmlessLine(event.what)}${size} ${event.state}`;
}
