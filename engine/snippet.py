"""Which part of a passage to show: the window that holds the most of the query, cut where a reader would."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from engine.ranking import Snippet
from indexer.analyser import Analyser, Token

_SENTENCE_END = re.compile(r"[.!?][\"')\]’”]*\s+|[。！？；][”’」』）]*|\n\s*\n|\n(?=\s*[-*•#])")
_SPACE = re.compile(r"\s")
_HEADING = re.compile(r"#{1,6}[ \t]+([^\n]+)(?:\n\s*|$)")
_MARKUP = re.compile(r"^#{1,6}(?=[ \t])|^[ \t]*(?:`{3,}|~{3,})\w*[ \t]*$", re.MULTILINE)
_REPEAT = 0.1  # what a word is worth that the window holds already


def snippet(
    passage: str, offset: int, weights: Mapping[str, float], analyser: Analyser, limit: int
) -> Snippet:
    """Return what to show of a passage.

    Args:
        passage: Its text.
        offset: Where it starts in the document's text.
        weights: The query's terms with how much each says (an idf).
        analyser: Finds the terms in the passage.
        limit: About how many characters to show; at most these, and never fewer than a word.

    Returns:
        The window of the passage where the query's terms are densest; its start when none occurs.
    """
    matches = analyser.find(passage, weights.keys()) if weights else []
    start, end = window(passage, matches, weights, limit)
    return Snippet(
        text=passage[start:end],
        start=offset + start,
        end=offset + end,
        highlights=tuple((offset + low, offset + high) for low, high in _merged(matches, start, end)),
        cut_before=bool(passage[:start].strip()),
        cut_after=bool(passage[end:].strip()),
    )


def without_headings(text: str, start: int, headings: Sequence[str]) -> tuple[str, int]:
    """Return a snippet as it is shown below its passage's headings, and where that starts in the document's text.

    The headings that it begins with are left out, unless there is nothing else, and Markdown's marks become spaces.

    Args:
        text: The snippet's.
        start: Where it starts.
        headings: Those shown above it.
    """
    body, at = text, start
    while (first := _HEADING.match(body)) and any(same_heading(first[1], heading) for heading in headings):
        body, at = body[first.end() :], at + first.end()
    if not body.strip():
        body, at = text, start
    return _MARKUP.sub(lambda found: " " * len(found[0]), body), at


def same_heading(one: str, other: str) -> bool:
    """Whether two headings differ at most in how they are written: in case, marks and spaces."""
    return _letters(one) == _letters(other)


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).casefold()


def window(
    passage: str, matches: Sequence[Token], weights: Mapping[str, float], limit: int
) -> tuple[int, int]:
    """Return the span of at most about `limit` characters that holds the most weight of distinct terms."""
    if len(passage) <= limit:
        return _trimmed(passage, 0, len(passage))
    if not matches:
        return _trimmed(passage, 0, _cut_after(passage, 0, limit))
    first, last = _densest(matches, weights, limit)
    low, high = matches[first].start, max(token.end for token in matches[first : last + 1])
    spare = max(limit - (high - low), 0)
    start = _cut_before(passage, low, max(low - spare, 0), max(low - spare // 2, 0))
    end = _cut_after(passage, high, max(start + limit, high))
    if end == len(passage):  # what the end did not need goes to the start
        start = min(start, _cut_before(passage, low, max(end - limit, 0), max(end - limit, 0)))
    return _trimmed(passage, start, end)


def _densest(matches: Sequence[Token], weights: Mapping[str, float], limit: int) -> tuple[int, int]:
    """Return the first and last match of the window with the most weight; of equals, the earliest."""
    held: dict[str, int] = {}
    best, best_weight, weight, last = (0, 0), -1.0, 0.0, -1
    for first, token in enumerate(matches):
        while last + 1 < len(matches) and matches[last + 1].end - token.start <= limit:
            last += 1
            term = matches[last].term
            weight += weights[term] * (_REPEAT if held.get(term) else 1.0)
            held[term] = held.get(term, 0) + 1
        if last < first:  # a single term longer than the limit
            last = first
            held = {token.term: 1}
            weight = weights[token.term]
        if weight > best_weight + 1e-9:
            best, best_weight = (first, last), weight
        held[token.term] -= 1
        weight -= weights[token.term] * (_REPEAT if held[token.term] else 1.0)
    return best


def _cut_before(passage: str, low: int, earliest: int, wished: int) -> int:
    """Return where to start before `low`: the sentence from `earliest` on nearest to `wished`, else a word there."""
    starts = [match.end() for match in _SENTENCE_END.finditer(passage, earliest, low)]
    if earliest == 0:
        starts.insert(0, 0)
    if starts:
        return min(starts, key=lambda start: abs(start - wished))
    if passage[wished - 1].isspace():
        return wished
    space = _SPACE.search(passage, wished, low)
    return space.end() if space else wished


def _cut_after(passage: str, high: int, latest: int) -> int:
    """Return where to end after `high`, at most at `latest`: after a sentence, else after a word."""
    if latest >= len(passage):
        return len(passage)
    ends = [match.end() for match in _SENTENCE_END.finditer(passage, high, latest)]
    if ends and ends[-1] - high >= (latest - high) // 2:
        return ends[-1]
    for at in range(latest, high, -1):
        if passage[at].isspace() or passage[at - 1].isspace():
            return at
        if latest - at > 80:
            break
    return latest


def _trimmed(passage: str, start: int, end: int) -> tuple[int, int]:
    piece = passage[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, max(start, end - (len(piece) - len(piece.rstrip())))


def _merged(matches: Sequence[Token], start: int, end: int) -> list[tuple[int, int]]:
    """Return the spans inside a window, those that touch or overlap made one: bigrams and words of Chinese do."""
    spans: list[tuple[int, int]] = []
    for token in matches:
        if token.start < start or token.end > end or token.start == token.end:
            continue
        if spans and token.start <= spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], token.end))
        else:
            spans.append((token.start, token.end))
    return spans
