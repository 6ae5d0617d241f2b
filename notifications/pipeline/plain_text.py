"""PURE: HTML → the text that readers see who see no HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_BLOCKS = """
address article blockquote center dd div dl dt figure footer h1 h2 h3 h4 h5 h6 header hr main ol p pre section table ul
"""
_PARAGRAPHS = frozenset(_BLOCKS.split())
_CELLS = frozenset(("td", "th"))
_UNSEEN = frozenset(("head", "script", "style", "title"))
_SPACES = re.compile(r"[ \t\r\n]+")


def text_of(html: str) -> str:
    """Return the words of a fragment: a paragraph per block, a line per item or row, links with where they lead."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    """Gathers lines; an empty one stands between paragraphs."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._unseen = 0
        #: Where the links lead that are open, and what was written before each.
        self._links: list[tuple[str, int]] = []
        #: Of each list that is open: the number of its next item; None: it has bullets.
        self._lists: list[int | None] = []

    def text(self) -> str:
        text = "\n".join(line.strip(" ") for line in self._lines)
        return re.sub(r"\n{3,}", "\n\n", text).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag in {"ul", "ol"}:
            self._begin_list(tag)
        elif tag == "li":
            self._begin_item()
        elif tag in {"br", "tr"}:
            self._lines.append("")
        elif tag in _PARAGRAPHS:
            self._paragraph()
        else:
            self._begin_inline(tag, dict(attrs))

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(self._unseen - 1, 0)
        elif tag in {"ul", "ol"} and self._lists:
            self._lists.pop()
            self._paragraph()
        elif tag in _PARAGRAPHS:
            self._paragraph()
        elif tag == "a" and self._links:
            url, start = self._links.pop()
            # A link that is shown as itself is not told twice.
            if url and url not in self._written()[start:]:
                self._lines[-1] += f" ({url})"

    def handle_data(self, data: str) -> None:
        if self._unseen:
            return
        text = _SPACES.sub(" ", data)
        line = self._lines[-1]
        self._lines[-1] = line + (text.lstrip(" ") if not line or line.endswith(" ") else text)

    def _begin_inline(self, tag: str, given: dict[str, str | None]) -> None:
        if tag in _CELLS and self._lines[-1].strip():
            self._lines[-1] += "  "
        elif tag == "a":
            self._links.append((given.get("href") or "", len(self._written())))
        elif tag == "img":
            self.handle_data(given.get("alt") or "")

    def _written(self) -> str:
        return "\n".join(self._lines)

    def _paragraph(self) -> None:
        self._lines += ["", ""]

    def _begin_list(self, tag: str) -> None:
        if not self._lists:
            self._paragraph()
        self._lists.append(1 if tag == "ol" else None)

    def _begin_item(self) -> None:
        number = self._lists[-1] if self._lists else None
        self._lines.append("- " if number is None else f"{number}. ")
        if number is not None:
            self._lists[-1] = number + 1
