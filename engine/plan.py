"""From a query's text to what the index and the encoder are asked: `make_plan`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from engine.query import MAX_CHARACTERS
from engine.settings import SearchSettings
from engine.syntax import Parsed, Part, parse, plain_words
from indexer.analyser import Analyser
from indexer.filters import And, Filter
from indexer.protocol import Clause, IndexReader, LexicalQuery

MAX_CLAUSES = 64
"""BM25 scores at most so many different words and phrases of a query: the most informative ones."""

MAX_DENSE_CHARACTERS = 10_000
"""The encoder is given at most so many characters; it reads fewer still, and cuts by itself."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What one query asks, analysed.

    Args:
        text: The text that was analysed.
        lexical: What BM25 scores.
        required: What every document must hold in some passage.
        excluded: What no passage of a document may hold.
        filters: The conditions on metadata that the text holds.
        meaning: What the encoder reads; empty when there is nothing to encode.
        labels: A term to how the query wrote it.
        notices: What the user should know about how the query was read.
    """

    text: str
    lexical: LexicalQuery
    required: tuple[Clause, ...]
    excluded: tuple[Clause, ...]
    filters: tuple[Filter, ...]
    meaning: str
    labels: dict[str, str]
    notices: tuple[str, ...]

    @property
    def body_terms(self) -> frozenset[str]:
        """The terms that may stand in a passage's own text: what a snippet highlights.

        A single Chinese character counts only where the query has no longer term around it.
        """
        terms = {
            term
            for clause in self.lexical.clauses
            if clause.field in ("any", "body")
            for term in clause.terms
        }
        longer = "\n".join(term for term in terms if len(term) > 1)
        return frozenset(term for term in terms if len(term) > 1 or term.isascii() or term not in longer)

    def label(self, clause: Clause) -> str:
        """Return a clause as the query wrote it."""
        words = " ".join(self.labels.get(term, term) for term in clause.terms)
        quoted = f'"{words}"' if len(clause.terms) > 1 else words
        return quoted if clause.field == "any" else f"{clause.field}:{quoted}"


def make_plan(text: str, reader: IndexReader, settings: SearchSettings, operators: bool = True) -> Plan:
    """Return what a query's text asks of this index.

    Args:
        text: Any text; beyond `MAX_CHARACTERS` it is not read, and a notice says so.
        reader: The index, for its analyser, its metadata fields and how frequent words are.
        settings: For the weights of the text fields.
        operators: Whether the text may hold operators.
    """
    notices: list[str] = []
    if len(text) > MAX_CHARACTERS:
        text = text[:MAX_CHARACTERS]
        notices.append(f"Only the first {MAX_CHARACTERS:,} characters of the query were read.")
    parsed = parse(text, reader.fields()) if operators else plain_words(text)
    notices += parsed.notices
    analyser = reader.analyser
    required, excluded, scored = _operators(parsed.parts, analyser)
    terms = _plain_terms(parsed.plain, analyser, alone=not scored)
    clauses, dropped = _most_informative([*scored, *(Clause((term,)) for term in terms)], reader)
    if dropped:
        notices.append(
            f"The query has {len(clauses) + dropped:,} different words; "
            f"BM25 looks for the {len(clauses)} most informative of them."
        )
    if not clauses:
        notices.append(_nothing_to_find(parsed, excluded))
    return Plan(
        text=text,
        lexical=LexicalQuery(
            tuple(clauses),
            title=settings.title_weight,
            headings=settings.headings_weight,
            body=settings.body_weight,
        ),
        required=tuple(dict.fromkeys(required)),
        excluded=tuple(dict.fromkeys(excluded)),
        filters=parsed.filters,
        meaning=parsed.positive[:MAX_DENSE_CHARACTERS] if clauses else "",
        labels=_labels(text, [*clauses, *excluded], analyser),
        notices=tuple(notices),
    )


def all_filters(*filters: Filter | None) -> Filter | None:
    """Return the filter that holds where all of these do; None when there is none."""
    present = tuple(item for item in filters if item is not None)
    if len(present) < 2:
        return present[0] if present else None
    return And(present)


def _operators(parts: Iterable[Part], analyser: Analyser) -> tuple[list[Clause], list[Clause], list[Clause]]:
    required: list[Clause] = []
    excluded: list[Clause] = []
    scored: list[Clause] = []
    for part in parts:
        if part.sign == "-" or part.sign == "+" or part.quoted:
            clauses = [Clause(tuple(terms), part.field) for terms in analyser.phrases(part.text) if terms]
            (excluded if part.sign == "-" else required).extend(clauses)
            if part.sign != "-":
                scored.extend(clauses)
        else:
            scored.extend(Clause((term,), part.field) for term in analyser.query_terms(part.text))
    return required, excluded, scored


def _plain_terms(text: str, analyser: Analyser, alone: bool) -> list[str]:
    """Return the terms of the plain words; function words only where there is nothing else in the query."""
    terms = analyser.query_terms(text)
    if not alone and all(analyser.is_stopword(term) for term in terms):
        return []
    return terms


def _most_informative(clauses: list[Clause], reader: IndexReader) -> tuple[list[Clause], int]:
    """Return the distinct clauses in order, weighted by how often each occurs, and how many were left out.

    Where there are more than `MAX_CLAUSES`, those of the highest tf · idf stay (a phrase counts as rare), and
    those that occur nowhere go first.
    """
    counts = Counter(clauses)
    distinct = list(counts)
    if len(distinct) <= MAX_CLAUSES:
        return [replace(clause, weight=counts[clause]) for clause in distinct], 0
    total = reader.passage_count
    terms = list(dict.fromkeys(clause.terms[0] for clause in distinct if len(clause.terms) == 1))
    frequencies = dict(zip(terms, reader.document_frequencies(terms), strict=True))

    def weight(clause: Clause) -> float:
        if len(clause.terms) > 1:
            return math.inf
        frequency = frequencies[clause.terms[0]]
        return counts[clause] * math.log1p(total / frequency) if frequency else 0.0

    ranked = sorted(range(len(distinct)), key=lambda i: (-weight(distinct[i]), i))
    kept = [replace(distinct[i], weight=counts[distinct[i]]) for i in sorted(ranked[:MAX_CLAUSES])]
    return kept, len(distinct) - MAX_CLAUSES


def _labels(text: str, clauses: list[Clause], analyser: Analyser) -> dict[str, str]:
    wanted = {term for clause in clauses for term in clause.terms}
    labels: dict[str, str] = {}
    for token in analyser.tokens(text[:MAX_DENSE_CHARACTERS]):
        if token.term in wanted:
            labels.setdefault(token.term, text[token.start : token.end])
    return labels


def _nothing_to_find(parsed: Parsed, excluded: list[Clause]) -> str:
    if excluded:
        return "The query only says what to leave out; add a word to look for."
    if parsed.filters:
        return "The query only has conditions; add a word to look for."
    if parsed.plain.strip() or parsed.parts:
        return "The query has no letters or digits to look for; add a word."
    return "The query is empty; add a word to look for."
