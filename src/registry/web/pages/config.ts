/** What containers of an image start with, and how it came to be. */
import { instructionOf } from '../../../images/xray/steps.ts';
import type { ImageConfig } from '../../../oci/image-config.ts';
import { html } from '../html.ts';
import type { Content, Html } from '../html.ts';
import { clipped, plural, timeText } from '../words.ts';

/** Rows of one table. */
const mostRows = 500;

export function configSection(image: ImageConfig): Html {
  const config = image.config ?? {};
  const facts: [string, Content][] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined && value !== '') facts.push([name, html`<code class="step">${clipped(value)}</code>`]);
  };
  if (image.created !== undefined) facts.push(['Created', timeText(Date.parse(image.created), Date.now())]);
  add('Author', image.author);
  add('User', config.User);
  add('Directory', config.WorkingDir);
  add('Entrypoint', config.Entrypoint ? JSON.stringify(config.Entrypoint) : undefined);
  add('Command', config.Cmd ? JSON.stringify(config.Cmd) : undefined);
  add('Ports', Object.keys(config.ExposedPorts ?? {}).join(' '));
  add('Volumes', Object.keys(config.Volumes ?? {}).join(' '));
  add('Stop signal', config.StopSignal);
  add('Health check', config.Healthcheck?.Test ? JSON.stringify(config.Healthcheck.Test) : undefined);
  add('On build', config.OnBuild?.join('\n'));
  const variables = (config.Env ?? []).map((text): [string, string] => {
    const equals = text.indexOf('=');
    return equals < 0 ? [text, ''] : [text.slice(0, equals), text.slice(equals + 1)];
  });
  return html`<h2>Configuration</h2>
${facts.length === 0 ? html`<p class="empty">Nothing is set.</p>` : html`<div class="table"><table>
<caption>What a container of it starts with</caption>
<thead><tr><th scope="col">Setting</th><th scope="col">Value</th></tr></thead>
<tbody>
${facts.map(([name, value]) => html`<tr><th scope="row">${name}</th><td class="text">${value}</td></tr>
`)}</tbody>
</table></div>`}
${pairsTable('Environment', 'Variable', variables)}
${pairsTable('Labels', 'Label', Object.entries(config.Labels ?? {}))}`;
}

/** Nothing when there are no pairs. */
export function pairsTable(title: string, name: string, pairs: readonly (readonly [string, string])[]): Html {
  if (pairs.length === 0) return html``;
  const shown = pairs.slice(0, mostRows);
  return html`<h2>${title}</h2>
<div class="table"><table>
<caption>${plural(pairs.length, name.toLowerCase())}${shown.length < pairs.length ? `, of which ${shown.length} are shown` : ''}</caption>
<thead><tr><th scope="col">${name}</th><th scope="col">Value</th></tr></thead>
<tbody>
${shown.map(([key, value]) => html`<tr><th scope="row"><code>${clipped(key, 300)}</code></th><td class="text"><code class="step">${clipped(value)}</code></td></tr>
`)}</tbody>
</table></div>`;
}

export function historySection({ history = [] }: ImageConfig): Html {
  if (history.length === 0) return html``;
  const shown = history.slice(0, mostRows);
  const now = Date.now();
  return html`<h2>History</h2>
<details><summary>${plural(history.length, 'instruction')}, also those that made no layer</summary>
<div class="table"><table>
<caption class="unseen">History, the oldest first</caption>
<thead><tr><th scope="col" class="number">#</th><th scope="col">Instruction</th><th scope="col">Layer</th><th scope="col">When</th></tr></thead>
<tbody>
${shown.map(({ created, created_by: by, comment, empty_layer: empty }, i) => html`<tr><td class="number">${i + 1}</td><td class="text"><code class="step">${clipped(instructionOf(by ?? '') || (comment ?? ''))}</code></td><td>${empty ? 'none' : 'yes'}</td><td class="whole">${timeText(created === undefined ? undefined : Date.parse(created), now)}</td></tr>
`)}</tbody>
</table></div></details>`;
}
