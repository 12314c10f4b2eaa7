/** Go templates of `--format` on a value with all kinds of members. */
import { isSiruError } from '../../../src/base/errors.ts';
import { renderTemplate } from '../../../src/cli/template/evaluate.ts';
import { parseTemplate } from '../../../src/cli/template/parse.ts';
import { asStruct } from '../../../src/cli/template/value.ts';
import { answerOf, ending, type Target } from '../target.ts';

const pieces = ['{{', '}}', '{{- ', ' -}}', '.', '.Name', '.List', '.Map', '.Map.a', '$', '$x', ':=', '=', '|', '(', ')', ' ', 'range', 'if', 'else', 'end', 'with', 'break', 'len', 'index', 'printf', '"%5d|%-9s|%v|%q|%x"', 'json', 'join', 'split', 'upper', 'lower', 'title', 'pad', 'truncate', 'println', 'eq', 'not', 'and', 'or', 'slice', '1', '-1', '1e3', '"a"', '`b`', "'c'", ',', 'true', 'nil', '{{/* c */}}', '.__proto__', '.constructor', '\\t'];

export const template: Target = {
  name: 'template',
  share: 30,
  largest: 1 << 12,
  dictionary: pieces,
  seeds: () => ['{{.Name}}\t{{len .List}}', '{{range $i, $x := .List}}{{if eq $x 1}}{{continue}}{{else}}{{$i}}{{end}}{{end}}', '{{with .Map}}{{json .}}{{end}}', '{{printf "%-10s|%5.2f|%q" .Name 1.5 "x"}}', '{{join (split .Name "e") ","}}', '{{index .Map "a" | upper}}'].map((text) => Buffer.from(text)),
  generate: (random) => Buffer.from(Array.from({ length: random.int(14) }, () => random.pick(pieces)).join(random.once(2) ? ' ' : '')),
  run(input) {
    const data = asStruct({ Name: 'name', List: [1, 'two', null, { x: 1 }], Map: { a: 'b', c: 1 }, None: null, Flag: true });
    const parsed = answerOf(() => parseTemplate(Buffer.from(input).toString('utf8')));
    if (isSiruError(parsed)) return ending(parsed);
    return ending(answerOf(() => typeof renderTemplate(parsed, data)));
  },
};
