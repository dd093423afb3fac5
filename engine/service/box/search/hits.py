"""The engine's hits as the templates read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from engine.ledger import Ledger
from engine.marking import Mark, Marks
from engine.ranking import Hit, HitPassage, Ranking
from engine.service.box.page.marks import pieces
from engine.service.box.page.naming import LONGEST_LABEL, name_of, shortened
from engine.service.box.page.scripts import language_of
from engine.service.box.page.shares import Bar, bar_of, scale_of
from engine.service.box.search.views import HitView, PassageView, TermView
from engine.service.box.urls.asked import Asked
from engine.service.box.urls.place import PASSAGE, Place
from engine.service.box.words.ledgers import because, detail
from engine.service.box.words.words import Words
from engine.snippet import same_heading, without_headings

if TYPE_CHECKING:
    from indexer.document import MetadataValue

LONGEST_SNIPPET = 900
_LONGEST_CRUMB = 64
_AUTHORS = ("author", "authors", "creator")


def dated(metadata: Mapping[str, MetadataValue], field: str) -> date | None:
    """Return the latest day that a field of a document holds."""
    value = metadata.get(field) if field else None
    days = [_day(one) for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, date)]
    return max(days, default=None)


def _day(value: date) -> date:
    return value.date() if isinstance(value, datetime) else value


@dataclass(frozen=True, slots=True)
class HitViews:
    """Makes the hits of one list.

    Args:
        words: Of the page that they are on.
        asked: The search that found them.
        date_field: The field that dates are of; empty where there is none.
        opinions: What the reader said of documents: the document to `like`, `dislike` or `hide`.
        openings: How texts begin whose documents have no title, by the document's id.
    """

    words: Words
    asked: Asked
    date_field: str
    opinions: Mapping[str, str]
    openings: Mapping[str, str]

    def of(self, ranking: Ranking, marks: Marks, from_rank: int) -> tuple[HitView, ...]:
        """Return a ranking's hits from a rank on, with the sentences marked that answer by their meaning."""
        scale = scale_of(hit.ledger for hit in ranking.hits)
        shown = [hit for hit in ranking.hits if hit.rank >= from_rank]
        sentences: list[Sequence[Mark | None]] = list(marks)
        sentences += [()] * (len(shown) - len(sentences))
        return tuple(self._hit(hit, bar_of(hit.ledger, scale), sentences[at]) for at, hit in enumerate(shown))

    def _hit(self, hit: Hit, bar: Bar, marks: Sequence[Mark | None]) -> HitView:
        title, named = name_of(hit.title, hit.doc_id, self.openings.get(hit.doc_id, ""))
        views = tuple(
            self._passage(hit, passage, marks[at] if at < len(marks) else None)
            for at, passage in enumerate(hit.passages)
        )
        place = Place(hit.doc_id, asked=self.asked)
        anonymous = hit.ledger.anonymous_rank
        return HitView(
            rank=hit.rank,
            doc_id=hit.doc_id,
            title=title,
            named=named,
            language=language_of(title, hit.metadata),
            href=views[0].href if views else place.url(),
            by=_authors(hit.metadata),
            dated=dated(hit.metadata, self.date_field),
            source="" if title == hit.doc_id else shortened(hit.doc_id, LONGEST_LABEL),
            passages=views,
            bar=bar,
            terms=tuple(_terms(hit.ledger, bar, self.words)),
            score=hit.score,
            moved=0 if anonymous is None else anonymous - hit.rank,
            because=tuple(because(one, self.words) for one in hit.ledger.because),
            why=place.url("/why"),
            similar=place.url("/similar"),
            opinion=self.opinions.get(hit.doc_id, ""),
        )

    def _passage(self, hit: Hit, passage: HitPassage, mark: Mark | None) -> PassageView:
        snippet = passage.snippet
        text, start = without_headings(snippet.text[:LONGEST_SNIPPET], snippet.start, passage.headings)
        place = Place(hit.doc_id, passage.start, passage.end, asked=self.asked)
        crumbs = [shortened(heading, _LONGEST_CRUMB) for heading in passage.headings]
        if crumbs and same_heading(passage.headings[0], hit.title):
            del crumbs[0]
        return PassageView(
            runs=pieces(text, start, snippet.highlights, [(mark.start, mark.end)] if mark else []),
            cut_before=snippet.cut_before,
            cut_after=snippet.cut_after or len(snippet.text) > LONGEST_SNIPPET,
            crumbs=tuple(crumbs),
            page=passage.page,
            language=language_of(text, hit.metadata),
            href=place.url(fragment=PASSAGE),
            unfold=place.url("/passage"),
        )


def _terms(ledger: Ledger, bar: Bar, words: Words) -> list[TermView]:
    percents = {share.name: share.percent for share in bar.shares}
    return [
        TermView(term.name, term.value, percents[term.name], detail(term, ledger, words))
        for term in ledger.terms
    ]


def _authors(metadata: Mapping[str, MetadataValue]) -> str:
    for field in _AUTHORS:
        value = metadata.get(field)
        names = value if isinstance(value, tuple) else (value,)
        said = ", ".join(name for name in names if isinstance(name, str) and name.strip())
        if said:
            return shortened(said, LONGEST_LABEL)
    return ""
