import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatListing, formatObjects } from './format.ts';
import type { Listing } from './format.ts';
import { alignColumns } from './tables.ts';
import { maxTemplateSteps, renderTemplate } from './template/evaluate.ts';
import { maxTemplateDepth, parseTemplate } from './template/parse.ts';
import { asStruct } from './template/value.ts';

const data = asStruct({
  ID: 'sha256:abc', Name: 'hello world', Size: 12, Empty: '', Yes: true, Nothing: null,
  List: ['a', 'b', 'c'], None: [], Map: { z: 1, a: 'x' }, Nested: asStruct({ Env: ['A=1', 'B=2'] }),
});
const render = (template: string): string => renderTemplate(parseTemplate(template), data);

test('templates give what Go gives', () => {
  const table: [string, string][] = [
    ['plain', 'plain'],
    ['{{.ID}}', 'sha256:abc'],
    ['{{ .Nested.Env }}', '[A=1 B=2]'],
    ['{{.Map}}', 'map[a:x z:1]'],
    ['{{.Map.a}}{{.Map.missing}}', 'x<no value>'],
    ['{{.Nothing}}', '<no value>'],
    ['{{json .List}} {{json .Nothing}}', '["a","b","c"] null'],
    ['{{join .List ", "}}', 'a, b, c'],
    ['{{.List | len}} {{len .Name}} {{len .Map}}', '3 11 2'],
    ['{{upper .Name}} {{.Name | title}} {{lower "ÄB"}}', 'HELLO WORLD Hello World äb'],
    ['{{index .List 1}} {{index .Map "z"}} {{index (split .Name " ") 1}}', 'b 1 world'],
    ['{{range .List}}<{{.}}>{{end}}', '<a><b><c>'],
    ['{{range $i, $x := .List}}{{$i}}={{$x}};{{end}}', '0=a;1=b;2=c;'],
    ['{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}', 'a=x;z=1;'],
    ['{{range .None}}x{{else}}none{{end}}', 'none'],
    ['{{range .List}}{{if eq . "b"}}{{continue}}{{end}}{{.}}{{end}}', 'ac'],
    ['{{range .List}}{{if eq . "b"}}{{break}}{{end}}{{.}}{{end}}', 'a'],
    ['{{if .Empty}}a{{else if .Yes}}b{{else}}c{{end}}', 'b'],
    ['{{if and .Yes (not .Empty)}}both{{end}}', 'both'],
    ['{{or .Empty "fallback"}} {{and .Size .Name}}', 'fallback hello world'],
    ['{{if or .Empty .None}}x{{else}}y{{end}}', 'y'],
    ['{{with .Nested}}{{index .Env 0}}{{end}}{{with .Empty}}x{{else}}-{{end}}', 'A=1-'],
    ['{{with $x := .Size}}{{$x}}{{end}}', '12'],
    ['{{eq .Size 12}} {{ne .ID "x"}} {{lt 1 2}} {{ge 2 3}} {{eq .ID "a" "sha256:abc"}}', 'true true true false true'],
    ['{{$x := 1}}{{range .List}}{{$x = .}}{{end}}{{$x}}', 'c'],
    ['a {{- .Size -}} b', 'a12b'],
    ['a {{- /* gone */ -}} b{{/* gone */}}', 'ab'],
    ['{{"quoted \\"x\\" \\u00e9\\t"}}{{`raw\\n`}}', 'quoted "x" é\traw\\n'],
    ['{{printf "%s|%5d|%-4s|%q|%v|%.2f|%03d|%x|%t|%%" .ID .Size "a" "b" .List 1.5 7 255 true}}', 'sha256:abc|   12|a   |"b"|[a b c]|1.50|007|ff|true|%'],
    ['{{printf "%d %s" "x"}}', '%!d(string=x) %!s(MISSING)'],
    ['{{println .Size "x"}}', '12 x\n'],
    ['{{print 1 2 "a" 3}}', '1 2a3'],
    ['{{slice .ID 7 9}}{{truncate .Name 3}}', 'abhel'],
    ['{{$.ID}}{{range .List}}{{$.Size}}{{end}}', 'sha256:abc121212'],
    ['{{(index .Nested.Env 1)}} {{len (join .List "")}}', 'B=2 3'],
    ['{{not true}} {{1.5}} {{true}}', 'false 1.5 true'],
    ["{{eq 'a' 97}}", 'true'],
    ['{{.}}', '{sha256:abc hello world 12  true <nil> [a b c] [] map[a:x z:1] {[A=1 B=2]}}'],
  ];
  for (const [template, expected] of table) assert.equal(render(template), expected, template);
});

test('faults in templates tell their place', () => {
  const table: [string, RegExp][] = [
    ['{{.Foo}}', /1:3: there is no field \.Foo/],
    ['abc\n  {{foo .ID}}', /2:5: unknown function foo/],
    ['{{.ID', /1:1: this action is never closed/],
    ['{{if .ID}}x', /1:12: .*\{\{end\}\} is missing/],
    ['{{end}}', /1:1: unexpected \{\{end\}\}/],
    ['{{$x}}', /undefined variable \$x/],
    ['{{len .Yes}}', /len a truth value has no length/],
    ['{{index .List 9}}', /index out of range/],
    ['{{join .ID ","}}', /wants a list/],
    ['{{lower}}', /wants 1 argument/],
    ['{{"abc}}', /this string is never closed/],
    ['{{.ID.x}}', /a string has no field \.x/],
    ['{{.Nothing.x}}', /asked of nothing/],
    ['{{if}}x{{end}}', /a value is missing/],
    ['{{break}}', /outside \{\{range\}\}/],
    ['{{lt .ID 3}}', /cannot compare/],
    ['{{(.ID}}', /unclosed parenthesis/],
    ['{{template "x"}}', /not supported/],
    ['{{if .ID}}{{else}}{{else}}{{end}}', /second \{\{else\}\}/],
  ];
  for (const [template, message] of table) {
    assert.throws(() => render(template), message, template);
  }
});

const listing: Listing<{ id: string; size: number }> = {
  rows: [{ id: 'abc', size: 5 }, { id: 'a-much-longer-id', size: 6 }],
  fields: [
    { name: 'ID', heading: 'IMAGE ID', of: ({ id }) => id },
    { name: 'Size', heading: 'SIZE', of: ({ size }) => `${size}B` },
    { name: 'Dear', heading: 'DEAR', of: () => assert.fail('not asked for') },
  ],
  columns: ['ID', 'Size'],
  key: 'ID',
};

test('templates that would go on for ever or too deep are refused with the limit', () => {
  const deep = (open: string, close: string, count: number): string => open.repeat(count) + close.repeat(count);
  assert.equal(render(`{{${deep('(', ')', maxTemplateDepth).replace(')', '1)')}}}`), '1');
  for (const template of [`{{${deep('(', ')', 20_000)}}}`, deep('{{if 1}}', '{{end}}', 20_000), `{{if 0}}${'{{else if 0}}'.repeat(20_000)}{{end}}`]) {
    assert.throws(() => render(template), { code: 'USAGE', message: new RegExp(` ${maxTemplateDepth} `) });
  }
  assert.throws(() => render('{{range 999999}}{{range 999999}}{{end}}{{end}}'), { code: 'USAGE', message: new RegExp(` ${maxTemplateSteps} `) });
});

test('a list is a table, IDs, a template for each row, a table of one\'s own or JSON', () => {
  assert.equal(formatListing(listing, undefined), 'IMAGE ID           SIZE\nabc                5B\na-much-longer-id   6B\n');
  assert.equal(formatListing(listing, 'table'), formatListing(listing, undefined));
  assert.equal(formatListing(listing, undefined, true), 'abc\na-much-longer-id\n');
  assert.equal(formatListing(listing, '{{.ID}}:{{.Size}}'), 'abc:5B\na-much-longer-id:6B\n');
  assert.equal(formatListing(listing, 'table {{upper .ID}}\\t{{.Size | lower}}'), 'IMAGE ID           SIZE\nABC                5b\nA-MUCH-LONGER-ID   6b\n');
  const cheap = { ...listing, fields: listing.fields.slice(0, 2) };
  assert.equal(formatListing(cheap, 'json'), '{"ID":"abc","Size":"5B"}\n{"ID":"a-much-longer-id","Size":"6B"}\n');
  assert.equal(formatListing({ ...cheap, rows: [] }, undefined), 'IMAGE ID   SIZE\n');
  assert.equal(formatListing({ ...cheap, rows: [] }, 'json'), '');
  assert.equal(formatObjects([{ a: 1 }, { a: 2 }], '{{.a}}'), '1\n2\n');
});

test('columns are laid out as Go\'s tabwriter does', () => {
  assert.equal(alignColumns('a\tb\tc\nlonger than ten\tb\tc'), 'a                 b         c\nlonger than ten   b         c');
  // a line with fewer cells ends the column
  assert.equal(alignColumns('a\tb\nx\na long long cell\tb'), 'a         b\nx\na long long cell   b');
  assert.equal(alignColumns('日本\tb\nx\ty'), '日本      b\nx         y');
});
