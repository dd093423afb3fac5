"""Where sentences end, in any script, by one pass of one pattern.

A full stop ends a sentence unless the word before it is an abbreviation or an initial, or a short word
before one in lower case. Two sentences taken for one do little harm to a passage; half a sentence does, so
doubtful cases stay together.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLOSERS = "\"'”’»)\\]}」』）》〉】〕"
_END = re.compile(
    rf"(?P<western>(?<![.!?…])[.!?…]++[{_CLOSERS}]*+)(?=\s)"
    rf"|(?P<own>(?:[。！？｡；؟۔।॥។៕။։።]|…{{2,}})[。！？｡；….!?]*[{_CLOSERS}]*)"
    r"|(?P<thai>(?<=[\u0e01-\u0eff])[ \t]+(?=[\u0e01-\u0eff]))"
    r"|(?P<empty_line>\n[^\S\n]*\n)"
)
_INITIALS = re.compile(r"(?:[^\W\d_]\.)+[^\W\d_]")
_OPENERS = "([{\"'“‘«¿¡"
_NEXT = re.compile(r"[\s\"'“”‘’«(\[{]*(\S?)")
_LINE_START = re.compile(r"(?:^|\n)[ \t]*[(\[]?\Z")
_LOOK_BACK = 24
_NO_ABBREVIATION = 7
_CAPITALS_WITHIN = 400

# Words that are followed by a name, a number or a citation: their stop never ends a sentence.
_LEADING = frozenset(
    "mr mrs ms mx dr prof rev hon gen col lt sgt capt cmdr gov sen rep pres st ste mt messrs mme mlle "
    "v vs e.g i.e eg ie cf viz ca approx fig figs eq eqs sec secs ch chap art arts no nos vol vols pp p para paras "
    "ref refs ed eds trans op loc id ibid supra infra r reg cl sch sched app dept univ u.s u.k u.n e.u d.c "
    "inc ltd co corp bros llc plc assn resp max min avg est tel ext incl excl "
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri "
    "z.b d.h bzw usw bspw nr abs hr fr str ggf vgl m mm sr sra dra av p.ex c.-à-d".split()
)


def sentence_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the (start, end) of each sentence of `text[start:end]`, without white space around it.

    Together they hold every character that is not white space. Linear in the length.
    """
    at = start
    for found in _END.finditer(text, start, end):
        if found.lastgroup == "western" and not _ends_sentence(text, at, found.start(), found.end(), end):
            continue
        yield from _trimmed(text, at, found.end())
        at = found.end()
    yield from _trimmed(text, at, end)


def _ends_sentence(text: str, sentence: int, mark: int, after: int, end: int) -> bool:
    following = _NEXT.match(text, after, min(end, after + _LOOK_BACK))
    first = following.group(1) if following else ""
    if not text.startswith(".", mark) or text.startswith("..", mark):
        return not first.islower()
    if text[mark - 1].isspace():
        return True
    before = text[max(sentence, mark - _LOOK_BACK) : mark].rsplit(None, 1)
    word = before[-1].lstrip(_OPENERS) if before else ""
    if word.casefold() in _LEADING:
        return False
    at = mark - len(word)
    if len(word) <= 3 and word.isdigit() and _LINE_START.search(text, max(0, at - 8), at):
        return False  # it counts an item of a list
    if first.islower():  # after an abbreviation that is not in the list, or in a text without capitals
        return len(word) >= _NO_ABBREVIATION or not any(
            map(str.isupper, text[max(sentence, mark - _CAPITALS_WITHIN) : mark])
        )
    if len(word) == 1 and word.isalpha():
        return not word.isupper() or not first.isalpha()
    # J.R.R. or U.S.A. likely comes before more of a name.
    return word.islower() or not _INITIALS.fullmatch(word)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    left = len(piece) - len(piece.lstrip())
    if left < len(piece):
        yield start + left, start + len(piece.rstrip())
