"""What the page tells of an index: its facets, dates and languages, looked at once a generation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from engine import SearchEngine, SearchSettings
from engine.service.box.page.scripts import language_of
from engine.service.box.search.holdings import HoldingsOf, look
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.index import Index

ENCODER = HashingEncoder(32)


def some(count: int = 30) -> list[Document]:
    """Return documents with fields of every sort, half of them in Chinese."""
    return [
        Document(
            f"d{n}",
            "一座桥的历史和它的建造。" if n % 2 else "The history of a bridge and how it was built.",
            "",
            {
                "kind": ("a", "b", "c")[n % 3],
                "always": "the same",
                "each": f"of its own {n}",
                "rare": "x" if n < 3 else "y",
                "flag": n % 2 == 0,
                "day": date(2000, 1, 1 + n % 28),
            }
            | ({} if n < 28 else {"seldom": "p" if n % 2 else "q"}),
        )
        for n in range(count)
    ]


def test_fields_of_few_values_are_facets(make_index: Callable[..., Index]) -> None:
    with make_index(*some()) as index, SearchEngine(index, ENCODER) as engine:
        holdings = look(engine, index.reader(), "")
        assert holdings.facets == ("flag", "rare", "kind")
        assert holdings.condition == "rare:y"
        assert engine.search(holdings.condition + " bridge").found == 27
        assert holdings.date_field == "day"
        assert holdings.languages == ("zh",)
        assert holdings.documents == 30


def test_of_conditions_that_hold_as_often_the_first_by_name_is_shown(
    make_index: Callable[..., Index],
) -> None:
    documents = [
        Document(f"d{n}", "A bridge.", "", {"kind": "story" if n < 4 else "manual"}) for n in range(8)
    ]
    with make_index(*documents) as index, SearchEngine(index, ENCODER) as engine:
        assert look(engine, index.reader(), "").condition == "kind:manual"


def test_what_is_set_goes_before_what_is_found(make_index: Callable[..., Index]) -> None:
    with (
        make_index(*some()) as index,
        SearchEngine(index, ENCODER, SearchSettings(facets=("each",))) as engine,
    ):
        assert look(engine, index.reader(), "nothing").facets == ("each",)
        assert look(engine, index.reader(), "kind").date_field == "day"


def test_an_index_without_anything_in_it(make_index: Callable[..., Index]) -> None:
    with make_index() as index, SearchEngine(index, ENCODER) as engine:
        holdings = look(engine, index.reader(), "")
        assert (holdings.documents, holdings.facets, holdings.examples, holdings.condition) == (0, (), (), "")


def test_a_generation_is_looked_at_once(make_index: Callable[..., Index]) -> None:
    with make_index(*some(6)) as index, SearchEngine(index, ENCODER) as engine:
        known = HoldingsOf()
        first = known.now(engine, index.reader(), "")
        assert known.now(engine, index.reader(), "") is first
        with index.writer() as writer:
            writer.add(Document("more", "Something else altogether.", "", {}))
        engine.refresh()
        again = known.now(engine, index.reader(), "")
        assert again.documents == 7
        assert again.generation == index.reader().generation


def test_a_language_is_what_the_document_says_or_its_letters() -> None:
    assert language_of("Some words", {"language": "pt_BR"}) == "pt-BR"
    assert language_of("Some words", {"lang": '"><script>'}) == ""
    assert language_of("Some words", {}) == ""
    assert language_of("一座桥 and a bridge of stone", {}) == ""
    assert language_of("一座桥的历史", {}) == "zh"
    assert language_of("橋の歴史について", {}) == "ja"
    assert language_of("다리의 역사", {}) == "ko"
    assert language_of("", {}) == ""
