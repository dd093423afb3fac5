"""reStructuredText, by a walk over docutils' document tree. Nothing is included, fetched or executed.

Directives and roles that docutils does not know (Sphinx's, mostly) keep their content.
"""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any

from indexer.document import MetadataValue
from indexer.readers.content import Content, TextBuilder, Unreadable
from indexer.readers.dates import to_date
from indexer.readers.options import ReadOptions
from indexer.readers.plain import checked_text, structured

if TYPE_CHECKING:
    from docutils import nodes

_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 3,
    "halt_level": 5,
    "warning_stream": False,
    "line_length_limit": 1 << 40,
    "syntax_highlight": "none",
    "strip_comments": True,
    "traceback": True,
}
_DIRECTIVE = re.compile(r"\s*\.\. (?:[^\n]*?)?([\w:.+-]+)::[ \t]*([^\n]*)\n?(.*)\Z", re.DOTALL)
_OPTION = re.compile(r"\s*:[\w-]+:[^\n]*\n?")
_ROLE = re.compile(r":[\w:.+-]+:`([^`]*)`|`([^`]*)`:[\w:.+-]+:")
_TARGET = re.compile(r"\s*<[^<>]*>\s*\Z")
_SILENT = frozenset(
    "toctree index currentmodule module contents literalinclude include automodule autoclass raw csv-table image "
    "figure".split()
)
# As Sphinx reads them out.
_VERSIONS = {
    "versionadded": "New in version",
    "versionchanged": "Changed in version",
    "deprecated": "Deprecated since version",
    "deprecated-removed": "Deprecated since version",
    "versionremoved": "Removed in version",
}
_MAX_NESTING = 8


def read_rst(data: bytes, options: ReadOptions) -> Content:
    """Return the content of a reStructuredText file, rendered as plain text.

    A file that docutils itself fails on (it has such defects, and a depth that it cannot pass) is read as plain text.

    Raises:
        Unreadable: it is binary, blank, too long, or of comments only.
    """
    source = checked_text(data, options)
    builder = TextBuilder(options.max_text_chars)
    walker = _Walker(builder)
    try:
        walker.children(_parse(source), 0)
    except Unreadable:
        raise
    except Exception:
        return structured(source)
    if not builder.length:
        raise Unreadable("holds only comments and directives: there is nothing to index")
    return Content(builder.text(), walker.title, tuple(builder.blocks), (), walker.metadata)


def _parse(source: str) -> nodes.document:
    from docutils.core import publish_doctree

    return publish_doctree(source.replace("\0", "\ufffd"), settings_overrides=dict(_SETTINGS))


class _Walker:
    """Writes a tree to a builder; a method for each kind of node that is more than its children."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self.title = ""
        self.metadata: dict[str, MetadataValue] = {}
        self._items = 0
        self._nesting = 0
        self._titled = False

    def children(self, node: nodes.Element, depth: int) -> None:
        for child in node.children:
            self._visit(child, depth)

    def _visit(self, node: Any, depth: int) -> None:
        method = getattr(self, f"_on_{node.tagname.lstrip('#')}", None)
        if method is not None:
            method(node, depth)
        elif node.tagname in _TEXTUAL:
            self._add(_words(node))
        elif node.tagname not in _OMITTED:
            self.children(node, depth)

    def _add(self, text: str) -> None:
        if self._items:
            self._builder.add("list", text, self._items)
        else:
            self._builder.add("paragraph", text)

    def _on_section(self, node: Any, depth: int) -> None:
        self.children(node, depth + 1)

    def _on_title(self, node: Any, depth: int) -> None:
        words, parent = _words(node), node.parent.tagname
        if parent not in ("document", "section"):
            self._add(words)
            return
        self._titled = self._titled or parent == "document"
        level = 1 if parent == "document" else depth + self._titled
        if not self._builder.length and (parent == "document" or _is_only_section(node.parent)):
            self.title = words
        self._builder.add("heading", words, level)

    def _on_literal_block(self, node: Any, depth: int) -> None:
        self._builder.add("code", node.astext())

    _on_doctest_block = _on_literal_block

    def _on_list_item(self, node: Any, depth: int) -> None:
        self._items += 1
        self.children(node, depth)
        self._items -= 1

    def _on_topic(self, node: Any, depth: int) -> None:
        if "contents" not in node["classes"]:
            self.children(node, depth)

    def _on_table(self, node: Any, depth: int) -> None:
        rows = [[_words(entry) for entry in row.children] for row in node.findall() if row.tagname == "row"]
        for title in (child for child in node.children if child.tagname == "title"):
            self._add(_words(title))
        self._builder.add("table", "\n".join(" | ".join(row) for row in rows))

    def _on_field(self, node: Any, depth: int) -> None:
        self._add(f"{node.children[0].astext()}: {_words(node.children[1])}")

    def _on_option_list_item(self, node: Any, depth: int) -> None:
        self._builder.add("list", "  ".join(_words(child) for child in node.children), self._items + 1)

    def _on_docinfo(self, node: Any, depth: int) -> None:
        for child in node.children:
            words = _words(child)
            if child.tagname == "date" and (day := to_date(words)):
                self.metadata["date"] = day
            elif child.tagname in ("author", "version", "organization", "status") and words:
                self.metadata[child.tagname] = words
            elif child.tagname == "authors":
                self.metadata["author"] = tuple(_words(author) for author in child.children)

    def _on_line_block(self, node: Any, depth: int) -> None:
        self._add("\n".join(line.astext() for line in node.findall() if line.tagname == "line"))

    def _on_system_message(self, node: Any, depth: int) -> None:
        """Take up the content of a directive that docutils does not know."""
        for block in (child for child in node.children if child.tagname == "literal_block"):
            match = _DIRECTIVE.match(block.astext())
            if match is None:
                self._builder.add("code", block.astext())
                continue
            name, argument, body = match.groups()
            if name in _SILENT or self._nesting >= _MAX_NESTING:
                continue
            self._add(_unrole(f"{_VERSIONS[name]} {argument}" if name in _VERSIONS else argument))
            lines = textwrap.dedent(body)
            while option := _OPTION.match(lines):
                lines = lines[option.end() :]
            self._nesting += 1
            self._inner(lines, depth)
            self._nesting -= 1

    def _inner(self, source: str, depth: int) -> None:
        """Write what `source` holds, whose first title is not the document's."""
        outer = self.title, self._titled, self.metadata
        self.metadata = {}
        self.children(_parse(source), depth)
        self.title, self._titled, self.metadata = outer


_TEXTUAL = frozenset("paragraph term classifier caption rubric attribution subtitle math_block".split())
_OMITTED = frozenset(
    "comment substitution_definition target pending raw image meta decoration label footnote_reference".split()
)


def _is_only_section(node: Any) -> bool:
    """Whether a section is the document's only one: with a picture before it, docutils takes its title for no title."""
    sections = [child for child in node.parent.children if child.tagname == "section"]
    return bool(node.parent.tagname == "document") and len(sections) == 1


def _words(node: Any) -> str:
    """Return a node's text on one line, the marks of unknown roles taken off, without pictures (badges, mostly)."""
    for image in [each for each in node.findall() if each.tagname == "image"]:
        image["alt"] = ""
    return _unrole(" ".join(node.astext().split()))


def _unrole(text: str) -> str:
    def shown(match: re.Match[str]) -> str:
        content = match.group(1) if match.group(1) is not None else match.group(2)
        return _TARGET.sub("", content).lstrip("~!") or content

    return _ROLE.sub(shown, text)
