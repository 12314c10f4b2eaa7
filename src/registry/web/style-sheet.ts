/** The one style sheet. */

export const css = `
:root {
  color-scheme: light dark;
  --ground: #fbfbfa; --raised: #ffffff; --text: #1d2126; --faint: #5c656f; --line: #dcdfe3; --link: #0b5bb5; --focus: #b3540a;
  --code: #f0f1f3; --danger: #b3261e; --badge: #e7eef8; --badge-text: #17426f;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --raised: #1b1f25; --text: #e4e7eb; --faint: #9aa5b1; --line: #333a43; --link: #7db7f5; --focus: #f0a45d;
    --code: #252a31; --danger: #ff8a80; --badge: #22364d; --badge-text: #b9d7f7;
  }
}
* { box-sizing: border-box; }
html { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Liberation Sans", "DejaVu Sans", sans-serif; background: var(--ground); color: var(--text); }
body { margin: 0; }
a { color: var(--link); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; border-radius: 3px; }
main:focus { outline: none; }
.skip { position: absolute; left: -100rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--raised); padding: 0.5rem 1rem; z-index: 1; }
header { background: var(--raised); border-bottom: 1px solid var(--line); }
.bar, main, nav { max-width: 72rem; margin: 0 auto; padding: 0 1.25rem; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 0.6rem 1.5rem; padding-top: 0.7rem; padding-bottom: 0.7rem; }
.home { font-weight: 650; color: var(--text); text-decoration: none; overflow-wrap: anywhere; }
.home:hover { text-decoration: underline; }
form[role=search] { display: flex; gap: 0.4rem; margin-left: auto; }
form[role=search] label, .unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
input, button, .button { font: inherit; color: var(--text); background: var(--ground); border: 1px solid var(--line); border-radius: 6px; padding: 0.3rem 0.7rem; }
input { min-width: 0; width: 16rem; }
button, .button { background: var(--code); cursor: pointer; text-decoration: none; display: inline-block; }
button:hover, .button:hover { border-color: var(--faint); }
button.danger { background: var(--danger); border-color: var(--danger); color: var(--ground); font-weight: 600; }
a.danger { color: var(--danger); }
.user { margin: 0; color: var(--faint); overflow-wrap: anywhere; }
.trail { list-style: none; display: flex; flex-wrap: wrap; padding: 0; margin: 1rem 0 0; color: var(--faint); font-size: 0.95rem; }
.trail li { overflow-wrap: anywhere; }
.trail li + li::before { content: "/"; margin: 0 0.5rem; }
main { padding-top: 0.5rem; padding-bottom: 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 0.5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 0.6rem; }
.facts { display: flex; flex-wrap: wrap; gap: 0.2rem 2rem; margin: 0.5rem 0 0; padding: 0; }
.facts div { display: flex; gap: 0.5rem; min-width: 0; }
.facts dt { color: var(--faint); flex: none; }
.facts dd { margin: 0; overflow-wrap: anywhere; min-width: 0; }
.table { overflow-x: auto; border: 1px solid var(--line); border-radius: 8px; background: var(--raised); }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; padding: 0.6rem 0.9rem; color: var(--faint); border-bottom: 1px solid var(--line); }
th, td { text-align: left; vertical-align: top; padding: 0.45rem 0.9rem; border-top: 1px solid var(--line); }
thead th { border-top: 0; font-size: 0.85rem; font-weight: 600; color: var(--faint); white-space: nowrap; }
tbody th { font-weight: 500; min-width: 8rem; }
tbody th :is(a, code) { overflow-wrap: anywhere; }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.whole { white-space: nowrap; }
td.text { min-width: 16rem; overflow-wrap: anywhere; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", "Liberation Mono", monospace; font-size: 0.88em; }
td code.step { white-space: pre-wrap; overflow-wrap: anywhere; }
pre { background: var(--code); border-radius: 6px; padding: 0.7rem 0.9rem; overflow-x: auto; margin: 0.5rem 0; }
.badge { display: inline-block; background: var(--badge); color: var(--badge-text); border-radius: 999px; padding: 0 0.6rem; margin: 0 0.2rem 0.15rem 0; font-size: 0.85rem; white-space: nowrap; max-width: 20rem; overflow: hidden; text-overflow: ellipsis; vertical-align: bottom; }
.faint { color: var(--faint); }
.empty { border: 1px dashed var(--line); border-radius: 8px; padding: 1.2rem; color: var(--faint); }
.empty pre { color: var(--text); }
.pages { display: flex; gap: 1.2rem; margin-top: 1rem; }
details { border: 1px solid var(--line); border-radius: 8px; background: var(--raised); margin-top: 1rem; }
summary { cursor: pointer; padding: 0.6rem 0.9rem; font-weight: 600; }
details .table { border: 0; border-top: 1px solid var(--line); border-radius: 0 0 8px 8px; }
.actions { display: flex; gap: 0.8rem; align-items: center; margin-top: 1.4rem; }
.filter { display: flex; gap: 0.4rem; margin: 0.2rem 0 0.8rem; align-items: center; flex-wrap: wrap; }
@media (max-width: 40rem) {
  .bar, main, nav { padding-left: 0.9rem; padding-right: 0.9rem; }
  form[role=search] { margin-left: 0; width: 100%; }
  form[role=search] input { flex: 1; width: auto; }
  h1 { font-size: 1.35rem; }
  th, td { padding: 0.4rem 0.45rem; }
  caption { padding: 0.5rem 0.45rem; }
  .badge { padding: 0 0.4rem; font-size: 0.8rem; }
  td { font-size: 0.94rem; }
  .wide { display: none; }
  td.text { min-width: 7rem; }
  tbody th { min-width: 4.2rem; }
  td.whole { white-space: normal; }
  .filter input { flex: 1 1 6rem; width: 6rem; }
  td code { overflow-wrap: anywhere; }
  .facts { gap: 0.2rem 1.2rem; }
}
@media (forced-colors: active) { .badge { border: 1px solid; } }
`;
