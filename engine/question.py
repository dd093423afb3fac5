"""A query with all that its answer needs, and the stages of the search as they are done with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches

from engine.clock import Clock
from engine.cursor import question_hash
from engine.errors import InvalidQuery
from engine.first_stage import Retrieval, retrieve
from engine.frozen import FusedRows
from engine.interest_term import Inclination
from engine.late import PASSAGES
from engine.meaning import NO_MEANING, Meaning, QueryEncoder
from engine.plan import Plan, all_filters, make_plan
from engine.query import Query
from engine.readership import Readership
from engine.reranking import QueryReranker
from engine.second_stage import SecondStage, Signals
from engine.settings import SearchSettings
from engine.snapshot import Snapshot
from engine.sorting import sorted_places
from indexer.errors import InvalidFilter
from indexer.protocol import Selection


@dataclass(frozen=True, slots=True)
class Question:
    """A query with all that it needs for an answer.

    Args:
        query: What was asked.
        settings: How to search.
        snapshot: The index.
        encoder: Reads the query's meaning.
        clock: Times the stages.
        reranker: Reads the best candidates again.
        readership: Knows the readers; None where everyone gets the same list.
        lacking: What the index said that its answers lack, as they came.
    """

    query: Query
    settings: SearchSettings
    snapshot: Snapshot
    encoder: QueryEncoder
    clock: Clock
    reranker: QueryReranker
    readership: Readership | None = None
    lacking: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        object.__setattr__(self, "snapshot", self.snapshot.watched(self.lacking.append))

    @property
    def name(self) -> str:
        """What ties a page to this question."""
        personal = "" if self.readership is None else self.readership.fingerprint(self.query)
        return question_hash(self.query, self.settings, personal)

    def plan(self, text: str) -> Plan:
        """Return what a text asks of the index."""
        plan = make_plan(text, self.snapshot.reader, self.settings, self.query.operators)
        self.clock.step("plan")
        return plan

    def select(self, plan: Plan) -> Selection | None:
        """Return the documents that may answer; None for all.

        Raises:
            InvalidQuery: a filter names an unknown field, or compares it with the wrong type.
        """
        reader = self.snapshot.reader
        try:
            selection = reader.select(
                all_filters(self.query.filters, *plan.filters), plan.required, plan.excluded
            )
        except InvalidFilter as error:
            named = [
                word for word in str(error).replace('"', "'").split("'")[1:2] if word not in reader.fields()
            ]
            close = get_close_matches(named[0], sorted(reader.fields()), n=1) if named else []
            raise InvalidQuery(str(error), suggestion=close[0] if close else "") from error
        self.clock.step("select")
        return selection

    def meaning(self, plan: Plan) -> Meaning:
        """Return what the encoder makes of the query, where meaning has a say."""
        if self.settings.alpha <= 0 or not plan.meaning:
            return NO_MEANING
        meaning = self.encoder.encode(plan.meaning, self.snapshot.reader.encoder_fingerprint)
        self.clock.step("encode")
        return meaning

    def retrieve(self, plan: Plan, selection: Selection | None, meaning: Meaning, wanted: int) -> Retrieval:
        """Return the candidates."""
        return retrieve(
            self.snapshot.reader,
            plan.lexical,
            meaning.vector,
            self.settings.alpha * meaning.readable,
            self.settings,
            selection,
            wanted,
            self.clock.step,
        )

    def incline(self) -> tuple[Inclination | None, str]:
        """Return the interests of the reader who asks, and what the user should know of them."""
        if self.readership is None or not self.query.personal:
            return None, ""
        found = self.readership.incline(self.query, self.snapshot.reader)
        self.clock.step("profile")
        return found

    def rerank(self, rows: FusedRows, plan: Plan, meaning: Meaning) -> Signals | None:
        """Put the first rows in the order of the second stage, where there is to be one."""
        settings = self.settings
        if not settings.rerank_depth or not len(rows):
            return None
        stage = SecondStage(self.snapshot, settings, self.encoder, self.reranker, self.clock)
        head = rows.head(settings.rerank_depth, max(PASSAGES, settings.rerank_passages))
        signals = stage.signals(head, plan.meaning, meaning)
        rows.rerank(signals, settings)
        return signals

    def sort(self, rows: FusedRows) -> None:
        """Put the rows in the order of a metadata field, where the query names one."""
        if self.query.sort and len(rows):
            documents = self.snapshot.reader.documents(rows.documents)
            rows.reorder(sorted_places(self.query.sort, [document.metadata for document in documents]))
            self.clock.step("sort")

    def tilt(
        self, rows: FusedRows, inclination: Inclination, plan: Plan, meaning: Meaning
    ) -> tuple[str, ...]:
        """Put the rows in the order that the reader's interests give; return what the user should know."""
        reader = self.snapshot.reader
        rows.note_ranks(reader, self.settings.diversity)
        terms = {term for clause in plan.lexical.clauses for term in clause.terms}
        scored = rows.scored(inclination.depth, len(terms), meaning.vector)
        if len(scored.documents):
            term = inclination.term(reader, scored)
            if term is not None:
                rows.tilt(inclination.depth, term)
        gone = rows.leave_out(inclination.left_out)
        self.clock.step("interests")
        if not gone:
            return ()
        which = (
            "1 document that you have met is" if gone == 1 else f"{gone:,} documents that you have met are"
        )
        return (f"{which} left out.",)
