"""One search from question to ranking: plan, select, encode, retrieve, fuse, rerank, sort, freeze, show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType

from engine.cursor import Page, decode, encode, frozen, thawed
from engine.facets import check_facets, counted
from engine.frozen import FusedRows
from engine.further import with_documents
from engine.fusion import Bounds
from engine.interest_term import Inclination
from engine.meaning import NO_MEANING, Meaning
from engine.plan import Plan
from engine.present import Presenter
from engine.question import Question
from engine.ranking import Hit, Ranking
from engine.row import Context, Row
from engine.snapshot import Snapshot
from engine.sorting import check_sort, field_of
from engine.spelling import suggestions
from indexer.protocol import Selection

__all__ = ["Candidates", "Question", "candidates", "first_page", "later_page"]

_NOBODY = 'No document meets all conditions of the query (filters, +words, "phrases", -words).'


@dataclass(frozen=True, slots=True)
class Candidates:
    """Both stages' outcome.

    Args:
        plan: The query as it was searched, perhaps corrected.
        selection: The documents that may answer.
        meaning: What the encoder made of it.
        rows: The list; None when there was nothing to search for.
        context: What holds for all of the list.
        depth: How many passages each index was asked for.
        inclination: The interests of the reader who asks, where they have a say.
    """

    plan: Plan
    selection: Selection | None
    meaning: Meaning
    rows: FusedRows | None
    context: Context
    depth: int
    inclination: Inclination | None = None


def candidates(question: Question, wanted: int) -> Candidates:
    """Return the candidate list of a query: of at least `wanted` documents, unless fewer match."""
    snapshot, settings = question.snapshot, question.settings
    check_facets(settings.facets, snapshot.reader.fields())
    check_sort(question.query.sort, snapshot.reader.fields())
    plan = question.plan(question.query.text)
    selection = question.select(plan)
    notices = list(plan.notices)
    if wanted == 0 or not plan.lexical.clauses:
        empty = Context(Bounds(), 0.0, "", 0, True, snapshot.reader.generation, tuple(notices), (), {})
        return Candidates(plan, selection, NO_MEANING, None, empty, 0)
    meant = suggestions(plan.text, plan.meaning, snapshot)
    question.clock.step("spelling")
    corrected = ""
    if meant and not _matches(plan, selection, snapshot):
        other = question.plan(meant[0])
        chosen = question.select(other)
        if _matches(other, chosen, snapshot):
            notices.append(
                f"Nothing matches {plan.text!r:.100}; these are the results for {other.text!r:.100}."
            )
            plan, selection, corrected = other, chosen, other.text
    meaning = question.meaning(plan)
    # What is reranked does not depend on k, as long as k is no more.
    wanted = max(wanted, settings.rerank_depth)
    retrieval = question.retrieve(plan, selection, meaning, wanted)
    inclination, fault = question.incline()
    outside: frozenset[int] = frozenset()
    if (
        inclination is not None and settings.fusion == "convex"
    ):  # other scores depend on who else is in the list
        proposed = inclination.proposals(snapshot.reader, selection)
        retrieval, outside = with_documents(
            snapshot.reader, plan.lexical, meaning.vector, retrieval, proposed
        )
        question.clock.step("propose")
    rows = FusedRows(snapshot, retrieval, settings, wanted, outside)
    question.clock.step("fuse")
    signals = question.rerank(rows, plan, meaning)
    if fault:
        notices.append(fault)
    if inclination is not None:
        notices += question.tilt(rows, inclination, plan, meaning)
    rows.diversify(snapshot.reader, settings.diversity)
    question.sort(rows)
    complete = retrieval.complete and len(rows) == rows.matching
    if selection is not None and selection.count == 0:
        notices.append(_NOBODY)
    if meaning.notice:
        notices.append(meaning.notice)
    if signals is not None:
        notices += signals.notices
    if question.query.sort and not complete:
        notices.append(
            f"The {len(rows):,} best candidates are in the order of {field_of(question.query.sort)[0]!r}; "
            "more documents may match."
        )
    facets = {}
    if settings.facets:
        facets = counted(snapshot.reader.value_counts(settings.facets, rows.documents))
        question.clock.step("facets")
    context = Context(
        bounds=retrieval.pool.bounds,
        alpha=retrieval.alpha,
        corrected=corrected,
        found=len(rows),
        complete=complete,
        generation=snapshot.reader.generation,
        notices=tuple(notices),
        suggestions=meant,
        facets=facets,
        reranked_depth=signals.depth if signals else 0,
    )
    return Candidates(plan, selection, meaning, rows, context, retrieval.depth, inclination)


def _matches(plan: Plan, selection: Selection | None, snapshot: Snapshot) -> bool:
    """Whether any passage that may answer holds any of the words."""
    if selection is not None and selection.count == 0:
        return False
    terms = [term for clause in plan.lexical.clauses for term in clause.terms]
    if not any(snapshot.frequencies(terms).values()):
        return False
    return len(snapshot.reader.lexical(plan.lexical, 1, selection)) > 0


def first_page(question: Question, k: int, explain: bool) -> Ranking:
    """Return the ranking of a query's first k documents."""
    found = candidates(question, k)
    rows = [] if found.rows is None else [found.rows[place] for place in range(min(k, len(found.rows)))]
    presenter = Presenter(question.snapshot, found.plan, question.settings, found.context, explain)
    hits = presenter.hits(rows, range(1, len(rows) + 1))
    question.clock.step("present")

    def next_page() -> str | None:
        if found.rows is None or len(found.rows) <= k:
            return None
        rest = [found.rows[place] for place in range(k, len(found.rows))]
        return encode(question.name, found.context, k, frozen(rest, question.snapshot.reader))

    return _ranking(question, k, found.context, hits, (), next_page)


def later_page(question: Question, k: int, explain: bool, cursor: str) -> Ranking:
    """Return the ranking of the next k documents of a list that a cursor holds.

    Raises:
        InvalidCursor: the cursor is damaged, or another query's.
    """
    name = question.name
    page = decode(cursor, name)
    context, snapshot = page.context, question.snapshot
    plan = question.plan(context.corrected or question.query.text)
    rows, ranks, taken = _thawed(page, k, snapshot)
    notices: list[str] = []
    if taken > len(rows):
        gone = taken - len(rows)
        notices.append(
            f"{gone} document{'s' if gone > 1 else ''} of this list "
            f"{'were' if gone > 1 else 'was'} deleted since the first page."
        )
    if snapshot.reader.generation != context.generation:
        notices.append("The index has changed since the first page; the order is as it was then.")
    if taken == len(page.rows) and not context.complete:
        notices.append(
            f"The list of {context.found:,} candidates ends here, though more documents may match; "
            "ask for the first page again with a greater depth or k to go further."
        )
    presenter = Presenter(snapshot, plan, question.settings, context, explain)
    hits = presenter.hits(rows, ranks)
    question.clock.step("present")

    def next_page() -> str | None:
        rest = page.rows[taken:]
        return encode(name, context, page.shown + taken, rest) if rest else None

    return _ranking(question, k, context, hits, tuple(notices), next_page)


def _thawed(page: Page, k: int, snapshot: Snapshot) -> tuple[list[Row], list[int], int]:
    """Return up to k rows whose documents are still there, their ranks, and how many rows that took."""
    rows: list[Row] = []
    ranks: list[int] = []
    taken = 0
    while len(rows) < k and taken < len(page.rows):
        more = page.rows[taken : taken + k - len(rows)]
        for found in thawed(more, snapshot.reader):
            taken += 1
            if found is not None:
                rows.append(found)
                ranks.append(page.shown + taken)
    return rows, ranks, taken


def _ranking(
    question: Question,
    k: int,
    context: Context,
    hits: tuple[Hit, ...],
    notices: tuple[str, ...],
    next_page: Callable[[], str | None],
) -> Ranking:
    return Ranking(
        hits=hits,
        query=question.query,
        k=k,
        notices=context.notices + notices + tuple(dict.fromkeys(question.lacking)),
        suggestions=context.suggestions,
        facets=MappingProxyType(dict(context.facets)),
        found=context.found,
        reranked_depth=context.reranked_depth,
        generation=question.snapshot.reader.generation,
        timings=MappingProxyType({name: round(ms, 3) for name, ms in question.clock.timings.items()}),
        next_page=next_page,
    )
