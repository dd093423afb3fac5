"""What is read before a passage: its title and headings, cut to a share of the encoder's budget."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.encoding import Encoder

SEPARATOR = " › "
ELLIPSIS = "…"
_MAX_CHARACTERS = 1_000
_BATCH = 256
_UNDERLINE = re.compile(r"\n[ \t]*([=\-~^\"*+#'`.:_])\1{2,}[ \t]*(?=\n|\Z)")
_HASHES = re.compile(r"\A#{1,6}(?:[ \t]+|\Z)|(?:\A|[ \t]+)#+[ \t]*\Z")


def contextual_text(title: str, headings: Sequence[str], text: str) -> str:
    """Return `title › section › subsection`, a line break, and the passage: what encoder and reranker read.

    The title is left out where the first heading repeats it, or is its beginning with an ellipsis: the
    splitter cuts a title that is too long in that way. Without text the context alone is returned, and
    the text alone without context.

    Args:
        title: The document's.
        headings: The passage's, outermost first.
        text: The passage's.
    """
    shown = [one_line(title), *map(one_line, headings)]
    if len(shown) > 1 and _stands_for(shown[1], shown[0]):
        shown = shown[1:]
    context = SEPARATOR.join(part for part in shown if part and part != ELLIPSIS)
    return f"{context}\n{text}" if context and text else context or text


def _stands_for(heading: str, title: str) -> bool:
    if heading.endswith(ELLIPSIS) and title.startswith(heading[: -len(ELLIPSIS)]):
        return True
    return heading.casefold() == title.casefold()


def one_line(text: str) -> str:
    """Return the first 1,000 characters of `text` with every stretch of white space as one space."""
    return " ".join(text[:_MAX_CHARACTERS].split())


def heading_text(source: str) -> str:
    """Return a heading as it reads, without the marks of Markdown and underlining of its source."""
    return one_line(_HASHES.sub("", _UNDERLINE.sub("", source[: 2 * _MAX_CHARACTERS].strip())))


class Contexts:
    """Fits the headings of one document's passages into a number of tokens.

    Args:
        encoder: Whose tokens.
        title: The document's.
        limit: The most tokens that title and headings may take together.
    """

    def __init__(self, encoder: Encoder, title: str, limit: int) -> None:
        self._encoder = encoder
        self._title = one_line(title)
        self._limit = limit

    def fitted(self, paths: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], tuple[tuple[str, ...], int]]:
        """Return for each path of headings the headings to keep, and the tokens that the context then has.

        Headings between the title and the innermost go first; then both are cut.
        """
        found: dict[tuple[str, ...], tuple[tuple[str, ...], int]] = {}
        left = list(dict.fromkeys(paths))
        for shorten in (self._whole, self._innermost, self._cut, self._title_only, self._nothing):
            tried = shorten(left)
            counts = self._counts([contextual_text(self._title, headings, "") for headings in tried])
            for path, headings, count in zip(left, tried, counts, strict=True):
                if count <= self._limit or shorten == self._nothing:
                    found[path] = headings, count
            left = [path for path in left if path not in found]
        return found

    def _whole(self, paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        return list(paths)

    def _innermost(self, paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        return [path[-1:] for path in paths]

    def _cut(self, paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        room = self._limit - 2  # for the separator and an ellipsis
        title_spans, *spans = self._offsets(
            [self._title, *(one_line(path[-1]) if path else "" for path in paths)]
        )
        cut: list[tuple[str, ...]] = []
        for path, heading_spans in zip(paths, spans, strict=True):
            for_heading = min(len(heading_spans), max(room // 2, room - len(title_spans)))
            title = _beginning(self._title, title_spans, room - for_heading - 1)
            heading = (_beginning(one_line(path[-1]), heading_spans, for_heading - 1),) if path else ()
            cut.append(heading if title == self._title else (title, *heading))
        return cut

    def _title_only(self, paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        (spans,) = self._offsets([self._title])
        return [(_beginning(self._title, spans, self._limit - 2),) for _ in paths]

    def _nothing(self, paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
        return [(ELLIPSIS,) for _ in paths]

    def _counts(self, texts: list[str]) -> list[int]:
        return [len(spans) for spans in self._offsets(texts)]

    def _offsets(self, texts: list[str]) -> list[NDArray[np.int32]]:
        found: list[NDArray[np.int32]] = []
        for at in range(0, len(texts), _BATCH):
            found += self._encoder.token_offsets(texts[at : at + _BATCH])
        return found


def _beginning(text: str, spans: NDArray[np.int32], tokens: int) -> str:
    if len(spans) <= tokens + 1:  # an ellipsis would take the place of what is left
        return text
    return text[: int(spans[tokens - 1, 1])].rstrip() + ELLIPSIS if tokens > 0 else ELLIPSIS
