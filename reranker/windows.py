"""A query and a passage as what a cross-encoder reads: one window of tokens, or several where it is long.

    [CLS] query [SEP] title › headings, passage [SEP]

Nothing is cut while the three fit. Where they do not, the query keeps a third of the window and the context a
quarter, or more where the others leave room, and the passage has the rest. A passage that is longer than that
is read in windows that overlap, each with the query and the context before it; its score is the highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from indexer.encoder.tokens import Tokens
from reranker.errors import RerankerModelError
from reranker.pairs import PassageText

OVERLAP = 32
_QUERY_SHARE, _CONTEXT_SHARE = 3, 4
_LEAST = 16


@dataclass(frozen=True, slots=True)
class Window:
    """What is read at one time.

    Args:
        ids: Token ids, specials included.
        query: Where in `ids` the query's tokens begin and end.
        passage: Where those of context and passage begin and end.
        second: Where tokens of the second type begin; the length where the model's are all of one type.
        unread: Tokens of the passage that lie behind this window.
    """

    ids: list[int]
    query: tuple[int, int]
    passage: tuple[int, int]
    second: int
    unread: int


@dataclass(frozen=True, slots=True)
class Reading:
    """All windows of a pair.

    Args:
        windows: From the passage's beginning to its end.
        cut: Tokens of query and context that none of them holds.
        tokens: Of the passage.
    """

    windows: list[Window]
    cut: int
    tokens: int


class Framing:
    """Puts queries and passages into windows. Safe to share between threads.

    Args:
        tokens: The model's tokenizer.
        max_tokens: Tokens of a window, specials included.

    Raises:
        RerankerModelError: so few that a passage would have no room.
    """

    def __init__(self, tokens: Tokens, max_tokens: int) -> None:
        self._tokens = tokens
        self._frame = tokens.pair()
        frame = self._frame
        self.max_tokens = max_tokens
        self._room = max_tokens - len(frame.before) - len(frame.between) - len(frame.after)
        if self._room < _LEAST:
            raise RerankerModelError(
                f"the model reads {max_tokens} tokens at a time, of which {max_tokens - self._room} are its own; "
                f"found {self._room} for query and passage, expected at least {_LEAST}: correct its max_tokens"
            )

    def query(self, text: str) -> list[int]:
        """Return the tokens of a query."""
        (ids,) = self._tokens.bodies([text])
        return ids

    def passages(self, query: Sequence[int], passages: Sequence[PassageText]) -> list[Reading]:
        """Return the windows of each passage, at least one, in their order."""
        contexts = [passage.context for passage in passages]
        distinct = list(dict.fromkeys(context for context in contexts if context))
        read = [f"{context}\n" for context in distinct] + [passage.text for passage in passages]
        bodies = self._tokens.bodies(read)
        known = dict(zip(distinct, bodies, strict=False))
        texts = bodies[len(distinct) :]
        return [
            self._reading(query, known.get(context, []), text)
            for context, text in zip(contexts, texts, strict=True)
        ]

    def _reading(self, query: Sequence[int], context: Sequence[int], text: Sequence[int]) -> Reading:
        room = self._room
        free = room - len(text) - min(len(context), room // _CONTEXT_SHARE)
        kept_query = query[: max(room // _QUERY_SHARE, free)]
        free = room - len(text) - len(kept_query)
        kept_context = context[: max(room // _CONTEXT_SHARE, free)]
        room -= len(kept_query) + len(kept_context)
        frame = self._frame
        before = [*frame.before, *kept_query, *frame.between]
        asked = (len(frame.before), len(frame.before) + len(kept_query))
        windows = []
        for start in _starts(len(text), room, min(OVERLAP, room // 4)):
            ids = [*before, *kept_context, *text[start : start + room], *frame.after]
            said = (len(before), len(ids) - len(frame.after))
            second = said[0] if frame.typed else len(ids)
            windows.append(Window(ids, asked, said, second, max(0, len(text) - start - room)))
        cut = len(query) - len(kept_query) + len(context) - len(kept_context)
        return Reading(windows, cut, len(text))


def _starts(length: int, room: int, overlap: int) -> list[int]:
    """Return where the windows of a text begin: each overlaps the one before, and the last ends with the text."""
    if length <= room:
        return [0]
    return [*range(0, length - room, room - overlap), length - room]
