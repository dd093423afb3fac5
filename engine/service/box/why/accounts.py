"""A ledger as a person reads it: an addition, a way through the stages, words, and documents of the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from engine.ledger import Because, Ledger
from engine.service.box.page.naming import LONGEST_TITLE, shortened
from engine.service.box.page.shares import Bar, bar_of, scale_of
from engine.service.box.search.around import day
from engine.service.box.urls.place import Place
from engine.service.box.words.ledgers import detail
from engine.service.box.words.told import Told
from engine.service.box.words.words import Words

LEAST = 0.0005
"""Terms below this would be shown as 0."""
_WIDTH = 100.0


@dataclass(frozen=True, slots=True)
class Addend:
    """One term of a score.

    Args:
        name: As `engine.ledger.Term` names it.
        value: What it adds.
        means: What kind of thing it is.
        detail: How it came about.
        x: Where its bar begins.
        width: How wide that is.
    """

    name: str
    value: float
    means: str
    detail: Told
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Stage:
    """A document's place after one stage of the search; `rank` is None where the stage did not have it."""

    name: str
    rank: int | None
    before: int | None


@dataclass(frozen=True, slots=True)
class WordBar:
    """What a word of the query adds to the best passage's BM25, and how wide its bar is."""

    word: str
    value: float
    width: float


@dataclass(frozen=True, slots=True)
class Past:
    """Something of the reader's past that speaks for a document, or against it."""

    title: str
    href: str
    said: str
    value: float
    width: float
    when: str
    share: int


@dataclass(frozen=True, slots=True)
class Account:
    """Why a document has its score.

    Args:
        total: The score.
        addends: What adds up to it, in the order in which it is added; the zero line of their bars is at `zero`.
        zero: Where nothing is, of 100.
        bar: All of it as one bar.
        stages: The document's places on its way.
        words: What each word brought.
        past: What the interest rests on.
        bounds: Names and figures of what the scores are measured by.
        tokens_cut: Tokens that the cross-encoder did not read.
        without: Its place in everybody's list; None where that is not known or no interest had a say.
    """

    total: float
    addends: tuple[Addend, ...]
    zero: float
    bar: Bar
    stages: tuple[Stage, ...]
    words: tuple[WordBar, ...]
    past: tuple[Past, ...]
    bounds: tuple[tuple[str, str], ...]
    tokens_cut: int
    without: int | None


def account_of(ledger: Ledger, rank: int, last: Ledger | None, place: Place, words: Words) -> Account:
    """Return what the page of a document's score shows.

    Args:
        ledger: The account of the score.
        rank: The document's place.
        last: The ledger that its bar is compared with; None for none.
        place: The document, and the search that found it.
        words: The page's.
    """
    zero, addends = _addends(ledger, words)
    return Account(
        total=ledger.total,
        addends=addends,
        zero=zero,
        bar=bar_of(ledger, scale_of([ledger, *([last] if last else [])])),
        stages=_stages(ledger, rank),
        words=_words(ledger),
        past=tuple(_past(one, ledger.because, place, words) for one in ledger.because),
        bounds=_bounds(ledger, words),
        tokens_cut=ledger.tokens_cut,
        without=ledger.anonymous_rank,
    )


def _addends(ledger: Ledger, words: Words) -> tuple[float, tuple[Addend, ...]]:
    """Return where zero is, and the terms as steps: each bar begins where the one before it ended."""
    ends, at = [0.0], 0.0
    for term in ledger.terms:
        at += term.value
        ends.append(at)
    low, high = min(ends), max(ends)
    unit = _WIDTH / (high - low) if high > low else 0.0
    rows = []
    for before, after, term in zip(ends, ends[1:], ledger.terms, strict=False):
        x, width = (min(before, after) - low) * unit, abs(after - before) * unit
        rows.append(
            Addend(
                term.name,
                term.value,
                words.or_else(f"why.means.{term.name}", ""),
                detail(term, ledger, words),
                round(x, 2),
                round(width, 2),
            )
        )
    return round(-low * unit, 2), tuple(rows)


def _stages(ledger: Ledger, rank: int) -> tuple[Stage, ...]:
    found: list[Stage] = []
    steps: list[tuple[str, int | None]] = [
        ("lexical", ledger.lexical_rank),
        ("dense", ledger.dense_rank),
        ("fused", ledger.fused_rank),
    ]
    if ledger.reranked_rank is not None:
        steps.append(("reranked", ledger.reranked_rank))
    if ledger.anonymous_rank is not None:
        steps.append(("anonymous", ledger.anonymous_rank))
    steps.append(("final", rank))
    before: int | None = None
    for name, place in steps:
        passages = name in ("lexical", "dense")
        found.append(Stage(name, place, None if passages else before))
        before = None if passages else place
    return tuple(found)


def _words(ledger: Ledger) -> tuple[WordBar, ...]:
    most = max((share.bm25 for share in ledger.words), default=0.0)
    unit = _WIDTH / most if most > 0 else 0.0
    return tuple(
        WordBar(share.word, share.bm25, round(max(share.bm25, 0.0) * unit, 2)) for share in ledger.words
    )


def _past(one: Because, others: Sequence[Because], place: Place, words: Words) -> Past:
    most = max((abs(other.value) for other in others), default=0.0)
    said = words(f"why.past.{one.source}" + (".not" if one.value < 0 else ""))
    return Past(
        title=shortened(one.title or one.doc_id, LONGEST_TITLE),
        href=place.whole(one.doc_id) if one.doc_id else "",
        said=f"{did(one.kind, words)}{words('why.past.join')}{said}" if one.kind else said,
        value=one.value,
        width=round(_WIDTH * abs(one.value) / most, 2) if most > 0 else 0.0,
        when=when(one.at, words),
        share=round(100 * one.weight),
    )


def did(kind: str, words: Words) -> str:
    """Return what a reader did with a document, in words."""
    return words.or_else(f"did.{kind}", words("did.other", kind=shortened(kind, 40)))


def when(at: datetime | None, words: Words) -> str:
    """Return a moment as a day; the empty string where it is not known."""
    return day(at.date(), words) if at else ""


def _bounds(ledger: Ledger, words: Words) -> tuple[tuple[str, str], ...]:
    bounds = ledger.bounds
    known: Mapping[str, str] = {
        "why.bound.bm25": f"{bounds.lexical:.3f}",
        "why.bound.document": f"{bounds.document:.3f}" if bounds.document else "",
        "why.bound.cosine": f"{bounds.dense:.3f}" if bounds.dense > -1 else "",
        "why.bound.unrelated": f"{bounds.unrelated:.3f}" if bounds.dense > -1 else "",
        "why.bound.alpha": f"{ledger.alpha:.2f}",
        "why.bound.fusion": ledger.fusion,
        "why.bound.grouping": ledger.grouping,
        "why.bound.cut": f"{ledger.tokens_cut:,}",
    }
    return tuple((words(key), value) for key, value in known.items() if value)
