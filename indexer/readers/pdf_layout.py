"""From the lines of a PDF's pages to headings and paragraphs: geometry and repetition, no guessing of meaning.

- Lines at the top or foot of the page that come again on most pages are headers and footers, and dropped.
- Lines set larger than the body are headings, the largest size the highest level.
- A paragraph ends where the distance to the next line grows, the indent changes or a short line ends a sentence.
- A hyphen at the end of a line is taken out when the document has the joined word elsewhere or lacks the parts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from indexer.readers.content import TextBuilder

_EDGE_LINES = 3
_REPEATED = 0.5
_ALTERNATE = 0.35
_HEADING_SIZE = 1.15
_MAX_HEADING = 200
_MAX_LEVELS = 4

_HYPHENS = "-\u00ad\ufffe\u2010\x02"
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b", re.IGNORECASE)
_AT_AN_END = re.compile(r"\A\d{1,4}(?=\s|\Z)|(?<=\s)\d{1,4}\Z")
_LEADERS = re.compile(r" ?(?:[.·] ?){6,}")  # the dots before a page's number in a table of contents
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LAST_WORD = re.compile(r"([^\W\d_]+)\Z")
_FIRST_WORD = re.compile(r"[^\W\d_]+")
_ENDS_SENTENCE = tuple(".!?:;。！？：；…”\"')]）】」")
_ITEM = re.compile(r"(?:[•‣▪◦●○■□–*·-]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_UNSPACED = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a page.

    Args:
        text: Its words.
        left: Where it begins, in points from the left.
        right: Where it ends.
        bottom: Its lower edge, in points from the foot of the page.
        size: The height of its letters' boxes.
    """

    text: str
    left: float
    right: float
    bottom: float
    size: float


@dataclass(frozen=True, slots=True)
class _Measures:
    """What is usual in a document: size of the body's letters, from line to line, the heading sizes, the words."""

    body: float
    spacing: float
    heading_sizes: tuple[float, ...]
    words: Counter[str]


def write_pages(pages: list[list[Line]], builder: TextBuilder) -> None:
    """Write the text of `pages` to `builder`, a paragraph that runs on to the next page as one.

    Raises:
        Unreadable: the text is longer than the builder allows.
    """
    kept = without_running_lines(pages)
    measures = _measure(kept)
    pending: list[list[Line]] = []
    for page in kept:
        paragraphs = list(_paragraphs(page, measures))
        if pending and paragraphs and _runs_on(pending[-1][-1], paragraphs[0][0], measures):
            pending.append(paragraphs.pop(0))
        else:
            _write(pending, measures, builder)
            pending = []
            builder.begin_page()
        for paragraph in paragraphs:
            _write(pending, measures, builder)
            pending = [paragraph]
    _write(pending, measures, builder)


def without_running_lines(pages: list[list[Line]]) -> list[list[Line]]:
    """Return the pages without the headers and footers that they share.

    Digits and numerals may differ. Where they count the pages, as in `Chapter 3: Tools 27`, so may the words.
    """
    written = [page for page in pages if page]
    if len(written) < 3:
        return pages
    seen: Counter[tuple[str, int]] = Counter()
    for page in written:
        seen.update({_key(line) for line in _edges(page)})
    needed = max(3, _REPEATED * len(written) if len(written) < 8 else _ALTERNATE * len(written))
    running = {key for key, count in seen.items() if count >= needed}
    counting = set(_counting(pages, needed))
    kept = []
    for page in pages:
        dropped = {id(line) for line in _edges(page) if _key(line) in running}
        dropped |= counting
        kept.append([line for line in page if id(line) not in dropped])
    return kept if any(kept) else pages


def _counting(pages: list[list[Line]], needed: float) -> Iterator[int]:
    """Yield the ids of first and last lines that begin or end with their page's number, where `needed` pages have one.

    What they say besides must come again, on the mean once: slides may begin with their number too.
    """
    found: dict[tuple[int, int], list[Line]] = {}
    for number, page in enumerate(pages):
        by_height = sorted(page, key=lambda line: line.bottom)
        for line in {id(each): each for each in (*by_height[:1], *by_height[-1:])}.values():
            for written in _AT_AN_END.finditer(line.text):
                found.setdefault((int(written[0]) - number, round(line.bottom / 6)), []).append(line)
    for lines in found.values():
        if len(lines) >= needed and 2 * len({_AT_AN_END.sub("", line.text).strip() for line in lines}) <= len(
            lines
        ):
            yield from map(id, lines)


def _edges(page: list[Line]) -> list[Line]:
    by_height = sorted(page, key=lambda line: line.bottom)
    return by_height if len(page) <= 2 * _EDGE_LINES else by_height[:_EDGE_LINES] + by_height[-_EDGE_LINES:]


def _key(line: Line) -> tuple[str, int]:
    return _DIGITS.sub("#", line.text), round(line.bottom / 6)


def _measure(pages: list[list[Line]]) -> _Measures:
    sizes: Counter[float] = Counter()
    gaps: Counter[float] = Counter()
    words: Counter[str] = Counter()
    for page in pages:
        above = None
        for line in page:
            sizes[_rounded(line.size)] += len(line.text)
            if above is not None and 0 < above.bottom - line.bottom < 4 * max(line.size, 1):
                gaps[_rounded(above.bottom - line.bottom)] += 1
            above = line
        words.update(_whole_words(page))
    body = sizes.most_common(1)[0][0] if sizes else 0.0
    larger = sorted((size for size in sizes if body and size >= _HEADING_SIZE * body), reverse=True)
    spacing = gaps.most_common(1)[0][0] if gaps else 0.0
    return _Measures(body, spacing, tuple(larger), words)


def _whole_words(page: list[Line]) -> Iterator[str]:
    """Yield the words of a page in lower case, without those that a hyphen at the end of a line may have parted."""
    parted = False
    for line in page:
        found = [word.lower() for word in _WORD.findall(line.text)]
        first, parted = int(parted), line.text[-1] in _HYPHENS
        yield from found[first : len(found) - parted]


def _rounded(points: float) -> float:
    return round(points * 2) / 2


def _paragraphs(page: list[Line], measures: _Measures) -> Iterator[list[Line]]:
    margin = max((line.right for line in page), default=0.0)
    current: list[Line] = []
    for line in page:
        if current and _breaks(current, line, margin, measures):
            yield current
            current = []
        current.append(line)
    if current:
        yield current


def _breaks(current: list[Line], line: Line, margin: float, measures: _Measures) -> bool:
    """Tell whether `line` begins a new paragraph after the lines of `current`."""
    above = current[-1]
    gap = above.bottom - line.bottom
    height = max(line.size, above.size, 1.0)
    if abs(line.size - above.size) > 0.1 * height or _ITEM.match(line.text):
        return True
    if abs(gap) < 0.3 * height:
        return False
    usual = measures.spacing or 1.2 * height
    if gap > max(1.3 * usual, usual + 0.25 * height):
        return True
    if gap < 0:
        return not _continues(above, line)
    short = above.right < margin - 0.15 * (margin - current[0].left)
    if short and above.text.endswith(_ENDS_SENTENCE):
        return True
    return (
        len(current) > 1
        and line.left - above.left > 0.8 * height
        and abs(current[0].left - line.left) < height
    )


def _continues(above: Line, line: Line) -> bool:
    """Tell whether a sentence that `above` leaves open may go on in `line`, in another column or on another page."""
    if above.text[-1] in _HYPHENS:
        return True
    first = line.text[0]
    return not above.text.endswith(_ENDS_SENTENCE) and (first.islower() or bool(_UNSPACED.match(first)))


def _runs_on(above: Line, line: Line, measures: _Measures) -> bool:
    same = abs(above.size - line.size) <= 0.1 * max(above.size, line.size, 1.0)
    return same and not _level(above, measures) and not _ITEM.match(line.text) and _continues(above, line)


def _level(line: Line, measures: _Measures) -> int:
    size = _rounded(line.size)
    if size not in measures.heading_sizes:
        return 0
    return min(measures.heading_sizes.index(size) + 1, _MAX_LEVELS)


def _write(pieces: list[list[Line]], measures: _Measures, builder: TextBuilder) -> None:
    if not pieces:
        return
    texts = _joined(pieces, measures.words)
    level = _level(pieces[0][0], measures)
    if level and len(pieces) == 1 and len(texts[0]) <= _MAX_HEADING and any(map(str.isalpha, texts[0])):
        builder.add("heading", texts[0], level)
    elif _ITEM.match(pieces[0][0].text) and measures.body:
        builder.add_across_pages("list", texts, 1)
    else:
        builder.add_across_pages("paragraph", texts)


def _joined(pieces: list[list[Line]], words: Counter[str]) -> list[str]:
    """Return the text of each piece (one a page), lines joined by spaces or, over hyphens, by nothing."""
    lines = [(number, line.text) for number, piece in enumerate(pieces) for line in piece]
    texts: list[list[str]] = [[] for _ in pieces]
    for (number, text), following in zip(lines, [*(each for _, each in lines[1:]), ""], strict=True):
        texts[number].append(_ending(text, following, words))
    return [_clean("".join(parts)) for parts in texts]


def _ending(text: str, following: str, words: Counter[str]) -> str:
    """Return a line as it goes before the next: with a space, without its hyphen, or as it is."""
    if not following:
        return text
    if text[-1] not in _HYPHENS:
        unspaced = _UNSPACED.match(text[-1]) and _UNSPACED.match(following)
        return text if unspaced else text + " "
    stem = text[:-1]
    before, after = _LAST_WORD.search(stem), _FIRST_WORD.match(following)
    if before is None or after is None:
        return stem + "- " if text[-1] == "-" and not stem.endswith(tuple("0123456789")) else stem + "-"
    left, right = before.group(1).lower(), after.group().lower()
    if text[-1] == "\u00ad" or words[left + right]:
        return stem
    if words[f"{left}-{right}"] or not after.group()[0].islower() or (words[left] and words[right]):
        return stem + "-"
    return stem


def _clean(text: str) -> str:
    for mark in "\u00ad\ufffe\x02":
        text = text.replace(mark, "-" if mark != "\u00ad" else "")
    return _LEADERS.sub(" … ", text)
