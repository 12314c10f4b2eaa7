/** A forecast as people read it. Pure. */
import type { Forecast, ForecastPush, ForecastStep } from '../build/forecast/forecast.ts';
import { shortName } from './names.ts';
import { stepLabel } from './progress/state.ts';
import { harmlessLine } from './sanitize.ts';
import { alignColumns } from './tables.ts';
import { humanSize } from './units.ts';

const shownStep = 72;

export function planText(forecast: Forecast): string {
  const { steps, pulls, push } = forecast;
  const rows = steps.map((step) => [`#${step.number}`, harmlessLine(stepLabel({ id: step.number, ...step })).slice(0, shownStep), resultOf(step), harmlessLine(step.why ?? '')].join('\t').trimEnd());
  const parts = rows.length === 0 ? [] : [`${alignColumns(rows.join('\n'))}\n\n`];
  parts.push(`${counts(steps)}\n`);
  for (const { name, bytes, layers, platform } of pulls) {
    const missing = layers.filter(({ here }) => !here).length;
    parts.push(`Pull: ${humanSize(bytes, 4)} of ${shortName(name)} for ${platform} (${missing === layers.length ? 'all' : `${missing} of`} ${layers.length} ${layers.length === 1 ? 'layer' : 'layers'})\n`);
  }
  if (push) parts.push(pushText(push));
  parts.push(timeText(forecast));
  return parts.join('');
}

function resultOf({ status, likely, same, took, base, from }: ForecastStep): string {
  const time = took === undefined ? '' : ` ${duration(took)}`;
  if (base) return status === 'hit' ? 'here' : 'to be pulled';
  if (status === 'unknown') return `unknown, likely ${likely}${likely === 'miss' ? time : ''}`;
  return status === 'hit' ? (from === undefined ? 'hit' : `hit in ${harmlessLine(from)}`) : same ? `miss, same result${time}` : `miss${time}`;
}

function counts(all: readonly ForecastStep[]): string {
  const steps = all.filter(({ text, base }) => !base && !text.startsWith('FROM '));
  const of = (status: ForecastStep['status']): number => steps.filter((step) => step.status === status).length;
  const [hit, miss, unknown] = [of('hit'), of('miss'), of('unknown')];
  const parts = [`${hit} of ${steps.length} ${steps.length === 1 ? 'step' : 'steps'} in the cache`];
  if (miss > 0) parts.push(`${miss} would be executed`);
  if (unknown > 0) parts.push(`${unknown} ${unknown === 1 ? 'depends' : 'depend'} on what those give`);
  return parts.join(', ');
}

function pushText({ name, layers, bytes }: ForecastPush): string {
  const counted = (state: string): number => layers.filter((layer) => layer.state === state).length;
  const parts = [`${counted('there')} of ${layers.length} ${layers.length === 1 ? 'layer' : 'layers'} there`];
  if (counted('mount') > 0) parts.push(`${counted('mount')} taken over from another repository`);
  if (counted('send') > 0) {
    const open = layers.some(({ state, digest }) => state === 'send' && digest === undefined);
    parts.push(`${counted('send')} to be sent: ${humanSize(bytes, 4)}${open ? ', before compression' : ''}`);
  }
  if (counted('unknown') > 0) {
    const last = layers.reduce((sum, { state, uncompressed = 0 }) => sum + (state === 'unknown' ? uncompressed : 0), 0);
    parts.push(`${counted('unknown')} not made yet${last > 0 ? ` (${humanSize(last, 4)} the last time, before compression)` : ''}`);
  }
  return `Push to ${name}: ${parts.join(', ')}\n`;
}

function timeText({ time: { took, work, untimed } }: Forecast): string {
  if (work === 0 && untimed.length === 0) return 'Time: nothing to execute\n';
  const side = work - took >= 10 ? `, of steps together ${duration(work)}` : '';
  const numbers = untimed.map((number) => `#${number}`).join(' ');
  const open = untimed.length === 0 ? '' : `${work > 0 ? ', and ' : ''}${numbers}, which ${untimed.length === 1 ? 'was' : 'were'} never timed`;
  return `Time: ${work > 0 ? `${duration(took)} by the last executions${side}` : ''}${open}\n`;
}

function duration(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(milliseconds < 1000 ? 2 : 1)} s`;
}
