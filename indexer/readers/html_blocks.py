"""An HTML tree as text with blocks. One walk, without recursion."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from indexer.readers.content import TextBuilder
from indexer.readers.html_main import walk

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BREAKING = frozenset(
    "address article aside blockquote body caption center dd details dialog dir div dl dt fieldset figcaption figure "
    "footer form frameset header hgroup hr html legend li main menu nav ol optgroup option p section summary table "
    "tbody td tfoot th thead tr ul".split()
)
_LISTS = frozenset("ul ol menu dir".split())
# A table that holds any of these lays out a page; it is no table of data.
_LAYOUT_ONLY = "h1, h2, h3, h4, h5, h6, table, pre, ul ul, hr, form, p + p"
_PERMALINKS = frozenset("¶ # § 🔗 ⚓ Ⓢ \uf0c1 [src] [link]".split())
_DROPPED = re.compile("[\u00ad\u200b\ufeff]")
_SPACE = re.compile(r"[ \t\n\r\f\v\u00a0]+")


def render(root: LexborNode, skip: set[int], builder: TextBuilder) -> None:
    """Write the text under `root` to `builder`, without the elements in `skip`.

    Raises:
        Unreadable: the text is longer than the builder allows.
    """
    _Renderer(builder, skip).run(root)


def plain_text(node: LexborNode) -> str:
    """Return all text under a node as it stands in the source."""
    return "".join(each.text_content or "" for each, entering in walk(node) if entering and each.is_text_node)


def collapsed(text: str) -> str:
    """Return `text` with white space as a browser shows it, without invisible characters."""
    return _SPACE.sub(" ", _DROPPED.sub("", text)).strip()


class _Renderer:
    """Collects inline text until a block begins or ends, then hands it over as what it is part of."""

    def __init__(self, builder: TextBuilder, skip: set[int]) -> None:
        self._builder = builder
        self._skip = set(skip)
        self._lines: list[list[str]] = [[]]
        self._heading = 0
        self._list_depth = 0
        self._items: list[int] = []

    def run(self, root: LexborNode) -> None:
        for node, entering in walk(root, self._skip):
            tag = node.tag or ""
            if node.is_text_node:
                if entering:
                    self._lines[-1].append(node.text_content or "")
            elif tag == "br":
                if entering:
                    self._lines.append([])
            elif entering and self._is_whole(node, tag):
                self._skip.add(node.mem_id)
            elif tag in _HEADINGS:
                self._flush()
                self._heading = _HEADINGS[tag] if entering else 0
            elif tag in _BREAKING:
                self._flush()
                self._nest(tag, entering)
        self._flush()

    def _nest(self, tag: str, entering: bool) -> None:
        if tag in _LISTS:
            self._list_depth += 1 if entering else -1
        elif tag == "li" and entering:
            self._items.append(max(self._list_depth, 1))
        elif tag == "li":
            self._items.pop()

    def _flush(self) -> None:
        text = "\n".join(collapsed("".join(line)) for line in self._lines).strip()
        self._lines = [[]]
        if not text:
            return
        if self._heading:
            self._builder.add("heading", text.replace("\n", " "), self._heading)
        elif self._items:
            self._builder.add("list", text, self._items[-1])
        else:
            self._builder.add("paragraph", text)

    def _is_whole(self, node: LexborNode, tag: str) -> bool:
        """Write an element that is taken as a whole, and tell whether it was one."""
        if tag == "a":
            return plain_text(node).strip() in _PERMALINKS
        if tag == "pre":
            self._flush()
            self._builder.add("code", self._preformatted(node))
            return True
        if tag == "table" and all(inner.mem_id == node.mem_id for inner in node.css(_LAYOUT_ONLY)):
            rows = self._rows(node)
            if sum(len(row) > 1 for row in rows) >= 1:
                self._flush()
                self._builder.add(
                    "table", "\n".join(" | ".join(row).rstrip(" |") for row in rows if any(row))
                )
                return True
        return False

    def _preformatted(self, node: LexborNode) -> str:
        parts: list[str] = []
        after_code = False  # two pieces of code side by side are two examples: one of them is shown at a time
        for each, entering in walk(node, self._skip):
            if entering and each.is_text_node:
                parts.append(each.text_content or "")
                after_code = False
            elif each.tag == "code":
                if entering and after_code and not parts[-1].endswith("\n"):
                    parts.append("\n")
                after_code = not entering and bool(parts)
            elif entering and each.tag == "br":
                parts.append("\n")
        return "".join(parts).replace("\r\n", "\n").replace("\u00a0", " ")

    def _rows(self, table: LexborNode) -> list[list[str]]:
        rows: list[list[str]] = []
        cell: list[str] = []
        for node, entering in walk(table, self._skip):
            tag = node.tag or ""
            if node.is_text_node:
                cell.append(node.text_content or "" if entering else "")
            elif tag == "tr" and entering:
                rows.append([])
            elif tag in ("td", "th", "caption"):
                if not entering:
                    (rows[-1] if rows and tag != "caption" else _new(rows)).append(collapsed("".join(cell)))
                cell = []
            elif tag in _BREAKING or tag == "br":
                cell.append(" ")
        return rows


def _new(rows: list[list[str]]) -> list[str]:
    rows.append([])
    return rows[-1]
