"""A ranking as a person reads it: titles, the best passages with the query's words marked, and why each is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from engine.snippet import without_headings
from quire.progress import plural
from quire.terminal import Screen, cells, cut, harmless, runs_of

if TYPE_CHECKING:
    from engine import Because, Hit, HitPassage, Ranking
    from engine.summary import Summary

INDENT = "    "
_DEEDS = {
    "read": "read",
    "click": "clicked",
    "dwell": "stayed on",
    "like": "liked",
    "save": "saved",
    "dislike": "disliked",
    "hide": "hid",
}


def render(
    ranking: Ranking,
    screen: Screen,
    *,
    explain: bool = False,
    summaries: Mapping[str, Summary] | None = None,
) -> Iterator[str]:
    """Yield the lines of a ranking: notices, hits, facets, and how it went.

    Args:
        ranking: What to show.
        screen: Where.
        explain: Whether to give the whole account of each score.
        summaries: By document, what to show in the place of its passages.
    """
    for notice in ranking.notices:
        yield from screen.wrap([(notice, False)], "  ", "! ")
    for suggestion in ranking.suggestions:
        yield from screen.wrap([(f"Did you mean: {suggestion}", False)], "  ", "? ")
    if ranking.notices or ranking.suggestions:
        yield ""
    if not ranking.hits:
        yield "Nothing found." if not ranking.found else "No more results."
        return
    for hit in ranking.hits:
        yield from hit_lines(hit, screen, explain=explain, summary=(summaries or {}).get(hit.doc_id))
        yield ""
    for name, counts in ranking.facets.items():
        values = ", ".join(f"{value} ({count:,})" for value, count in counts) or "no values"
        yield from screen.wrap([(f"{name}: {values}", False)], "  ", "")
    yield from (screen.style(line, "dim") for line in screen.wrap([(_footer(ranking), False)]))


def _footer(ranking: Ranking) -> str:
    first, last = ranking.hits[0].rank, ranking.hits[-1].rank
    took = ranking.timings.get("total") or sum(ranking.timings.values())
    reranked = f", {ranking.reranked_depth:,} reranked" if ranking.reranked_depth else ""
    return f"{first}–{last} of {plural(ranking.found, 'document')} found{reranked}, in {took:.0f} ms"


def hit_lines(
    hit: Hit, screen: Screen, *, explain: bool = False, summary: Summary | None = None
) -> Iterator[str]:
    """Yield the lines of one hit: title, where it is, its passages or its summary, and the account of its score."""
    number = f"{hit.rank:>2}. "
    score = f"{hit.score:.3f}"
    title = harmless(" ".join((hit.title or hit.doc_id).split()))
    room = screen.width - cells(number) - cells(score) - 2
    title = cut(title, room)
    gap = " " * (room - cells(title) + 2)
    yield number + screen.style(title, "bold") + gap + screen.style(score, "green")
    if hit.title and hit.title != hit.doc_id:
        yield INDENT + screen.style(cut(harmless(hit.doc_id), screen.width - 4), "cyan")
    if explain and hit.metadata:
        values = ", ".join(f"{name}: {_plain(value)}" for name, value in sorted(hit.metadata.items()))
        yield from screen.wrap([(values, False)], INDENT)
    if summary is not None and summary.sentences:
        yield from summary_lines(summary, screen)
    else:
        for place, passage in enumerate(hit.passages):
            yield from passage_lines(passage, screen, hit.title, first=place == 0)
    yield from account_lines(hit, screen, explain=explain)


def passage_lines(
    passage: HitPassage, screen: Screen, title: str = "", *, first: bool = True
) -> Iterator[str]:
    """Yield a passage's place (page and headings) and its snippet, the query's words marked.

    The document's title, where that is the first heading, stands above already. It is said again of a passage that has
    no other heading and is not the first, or it would seem to go on with the one before.
    """
    headings = [" ".join(heading.split()) for heading in passage.headings]
    if headings and headings[0] == " ".join(title.split()):
        headings = headings[1:] or ([] if first else headings)
    place = [harmless(part) for part in ([f"p. {passage.page}"] if passage.page else []) + headings]
    if place:
        room = screen.width - len(INDENT)
        if cells(" › ".join(place)) > room:  # the innermost heading says most, so all are cut alike
            place = [cut(part, max(8, (room - 3 * (len(place) - 1)) // len(place))) for part in place]
        yield INDENT + screen.style(cut(" › ".join(place), room), "blue")
    snippet = passage.snippet
    text, start = without_headings(snippet.text, snippet.start, passage.headings)
    runs = runs_of(text, start, snippet.highlights)
    if snippet.cut_before:
        runs.insert(0, ("… ", False))
    if snippet.cut_after:
        runs.append((" …", False))
    yield from screen.wrap(runs, INDENT + "  ")


def summary_lines(summary: Summary, screen: Screen, *, explain: bool = False) -> Iterator[str]:
    """Yield a summary's sentences, the query's words marked; with `explain`, why and where from below each."""
    end = 0
    for sentence in summary.sentences:
        gap = "" if sentence.start - end <= 2 else "… "
        runs = [(gap, False), *runs_of(sentence.text, sentence.start, sentence.highlights)]
        end = sentence.end
        yield from screen.wrap(runs if sentence.whole else [*runs, (" …", False)], INDENT)
        if explain:
            place = [f"p. {sentence.page}"] if sentence.page else []
            place.append(f"characters {sentence.start:,}–{sentence.end:,}")
            facts = ", ".join([sentence.why, *place])
            yield from (screen.style(line, "dim") for line in screen.wrap([(facts, False)], INDENT * 2))


def account_lines(hit: Hit, screen: Screen, *, explain: bool = False) -> Iterator[str]:
    """Yield why the hit has its score: one line, or with `explain` one for each term and word."""
    ledger = hit.ledger
    if not explain:
        shares = " + ".join(f"{term.name} {term.value:.3f}" for term in ledger.terms)
        facts = []
        if ledger.lexical_rank:
            facts.append(f"{ordinal(ledger.lexical_rank)} by words")
        if ledger.dense_rank:
            facts.append(f"{ordinal(ledger.dense_rank)} by meaning")
        why = f"{shares}; best passage {', '.join(facts)}" if facts else shares
        if ledger.reranked_rank and ledger.fused_rank and ledger.reranked_rank != ledger.fused_rank:
            why += f"; {ordinal(ledger.fused_rank)} before reranking"
        yield from (screen.style(line, "dim") for line in screen.wrap([(why, False)], INDENT))
        yield from _reasons(hit, screen)
        return
    for term in ledger.terms:
        yield from screen.wrap(
            [(f"{term.value:.4f} {term.name}: {term.detail}", False)], INDENT + "    ", INDENT
        )
    if ledger.words:
        shares = ", ".join(f"{share.word} {share.bm25:.2f}" for share in ledger.words)
        yield from screen.wrap([(f"BM25 word by word: {shares}", False)], INDENT + "    ", INDENT)
    how = f"fused by {ledger.fusion} with alpha {ledger.alpha:g}, grouped by {ledger.grouping}"
    if ledger.reranked_rank and ledger.fused_rank:
        how += f"; {ordinal(ledger.fused_rank)} before reranking, {ordinal(ledger.reranked_rank)} after"
    yield from screen.wrap([(how, False)], INDENT + "    ", INDENT)
    yield from _reasons(hit, screen)


def _reasons(hit: Hit, screen: Screen) -> Iterator[str]:
    """Yield what in the reader's past moved a result, and from where."""
    ledger = hit.ledger
    if not any(term.name == "interest" for term in ledger.terms):
        return
    was = (
        f"{ordinal(ledger.anonymous_rank)} without you" if ledger.anonymous_rank else "not there without you"
    )
    why = "; ".join(map(_reason, ledger.because))
    line = f"for you: {was}" + (f"; {why}" if why else "")
    yield from (screen.style(line, "cyan") for line in screen.wrap([(line, False)], INDENT + "  ", INDENT))


def _reason(one: Because) -> str:
    name = cut(harmless(" ".join((one.title or one.doc_id).split())), 60)
    if one.source == "declared":
        return f"you declared “{name}”"
    did = _DEEDS.get(one.kind, "met")
    if one.source == "own":
        return f"you {did} it"
    if one.value < 0:
        return f"like “{name}”, which you {did}"
    if one.source == "together":
        return f"read together with “{name}”, which you {did}"
    return f"near “{name}”, which you {did}"


def ordinal(number: int) -> str:
    """Return 1st, 2nd, 3rd, 4th, 11th, 21st."""
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number:,}{ending}"


def _plain(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value)
    return str(value)
