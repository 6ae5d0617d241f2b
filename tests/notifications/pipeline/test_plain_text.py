"""HTML as text."""

from __future__ import annotations

import pytest

from notifications.pipeline.plain_text import text_of

CASES = {
    "paragraphs": ("<p>One\n  two</p>\n<p>Three</p>", "One two\n\nThree"),
    "line break": ("<p>One<br>two<br/>three</p>", "One\ntwo\nthree"),
    "heading": ("<h1>Hello</h1><p>You</p>", "Hello\n\nYou"),
    "words in tags": ("<p>a <b>b</b> <i> c</i>d</p>", "a b cd"),
    "entities": ("<p>&lt;a&gt; &amp; b&nbsp;c &#8364;</p>", "<a> & b\xa0c €"),
    "list": ("<p>Two:</p><ul><li>One</li><li>Two</li></ul><p>End</p>", "Two:\n\n- One\n- Two\n\nEnd"),
    "numbered list": ("<ol><li>One</li>\n<li>Two</li></ol>", "1. One\n2. Two"),
    "list in a list": ("<ul><li>One<ol><li>A</li></ol></li><li>Two</li></ul>", "- One\n1. A\n\n- Two"),
    "item without list": ("<li>One</li>", "- One"),
    "end of no list": ("</ul></a>One", "One"),
    "link": ('<p>See <a href="https://x.example/">it</a>.</p>', "See it (https://x.example/)."),
    "link shown as itself": ('<a href="https://x.example/">https://x.example/</a>', "https://x.example/"),
    "link to nowhere": ("<a>it</a> <a href>it</a>", "it it"),
    "picture": ('<p><img src="x" alt="A cat"> <img src="y"></p>', "A cat"),
    "table": ("<table><tr><th>Item</th><th>Price</th></tr><tr><td>Tea</td><td>3</td></tr></table>", "Item  Price\nTea  3"),
    "unseen": ("<style>p {}</style><script>x()</script><p>One</p></style><p>Two</p>", "One\n\nTwo"),
    "empty": ("", ""),
}  # fmt: skip


@pytest.mark.parametrize(("html", "text"), CASES.values(), ids=CASES)
def test_html_reads_as_text(html, text):
    assert text_of(html) == text
