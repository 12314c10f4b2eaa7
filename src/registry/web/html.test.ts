import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { html } from './html.ts';

test('what is put in is text; templates and lists of them stay', () => {
  const evil = `<script>alert("x")</script>&'`;
  assert.equal(html`<p title="${evil}">${evil}</p>`.html, '<p title="&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;">&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;&#39;</p>');
  assert.equal(html`<ul>${['a', 'b'].map((item) => html`<li>${item}</li>`)}</ul>${undefined}${false}${0}`.html, '<ul><li>a</li><li>b</li></ul>0');
});

test('control characters and those that turn the direction of writing show as replacements', () => {
  assert.equal(html`${'a\x00b\x1b[2Jc\u202ed\u2066e\u200bf\x9bg\nh\ti'}`.html, 'a\ufffdb\ufffd[2Jc\ufffdd\ufffde\ufffdf\ufffdg\nh\ti');
});

test('whatever a text is, nothing of it is markup', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    const made = html`${text}`.html;
    assert.doesNotMatch(made, /[<>"']/);
    assert.doesNotMatch(made, /&(?!(?:amp|lt|gt|quot|#39);)/);
  }));
});
