"""Structure as labels: the name is hidden from the answer, siblings are elsewhere, empty names ask nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.data.concealing import concealed
from reranker.data.structure import PlacedPassage, StructureSettings, from_structure, heading_query
from reranker.data.wording import normal
from reranker.errors import InvalidTrainingSettings
from reranker.pairs import PassageText

LONG = "It is told at some length, in more than a hundred characters, so that it may well be taken for an answer. "


def book(doc_id: str = "badger", title: str = "European badger") -> list[PlacedPassage]:
    sections = [
        ((), f"{title}\n\n{LONG}0"),
        (("1. Introduction",), f"{LONG}1"),
        (("2. Diet in winter and spring",), f"## 2. Diet in winter and spring\n{LONG}2"),
        (("2. Diet in winter and spring",), f"{LONG}3"),
        (("2. Diet in winter and spring", "2.1 Worms"), f"{LONG}4"),
        (("3 Setts",), f"{LONG}5"),
        (("References",), f"{LONG}6"),
        (("7. Short of text in here",), "Too short."),
    ]
    return [
        PlacedPassage(doc_id, ordinal, PassageText(text, title, path))
        for ordinal, (path, text) in enumerate(sections)
    ]


def test_the_queries_of_a_book() -> None:
    found = {query.query_id: query for query in from_structure(book(), StructureSettings(siblings=10))}
    assert {name: query.query for name, query in found.items()} == {
        "badger#title": "European badger",
        "badger#2": "Diet in winter and spring",
        "badger#4": "European badger Worms",
        "badger#5": "European badger Setts",
    }
    assert found["badger#title"].shown == "text"
    diet = found["badger#2"]
    assert diet.shown == "parents"
    assert [document.ordinal for document in diet.positives] == [2]
    # Neither the rest of the section, nor what stands below it, is wrong; nor is what stands under nothing.
    assert sorted(d.ordinal for d in diet.judged if d.grade == 0) == [1, 5, 6, 7]
    worms = found["badger#4"]
    assert sorted(d.ordinal for d in worms.judged if d.grade == 0) == [1, 5, 6, 7]


@pytest.mark.parametrize(
    ("heading", "title", "asked"),
    [
        ("3.1 The cooling of turbine blades", "", "The cooling of turbine blades"),
        ("Chapter IV: Of the loss of one's way", "", "Of the loss of one's way"),
        ("Appendix B. Proof of the second lemma", "", "Proof of the second lemma"),
        ("A.2 Hyper-parameters we tried", "", "Hyper-parameters we tried"),
        ("第三章 北京的历史", "", "北京的历史"),
        ("In the year 1960 it began", "", "In the year 1960 it began"),
        ("1960 elections in France", "", "1960 elections in France"),
        ("Mix it with flour", "", "Mix it with flour"),
        ("Results", "Deep nets", ""),
        ("4.2. Results and Discussion", "Deep nets", ""),
        ("参考文献", "北京的历史", ""),
        ("Cooling", "Turbine blades", "Turbine blades Cooling"),
        ("Cooling", "", ""),
        ("Cooling", "Introduction", ""),
        ("Turbine", "Turbine", ""),
        ("3.1", "Turbine blades", ""),
        ("2023-07-01 10:20", "Turbine blades", ""),
        ("", "Turbine blades", ""),
        ("A heading that was cut…", "Turbine blades", ""),
    ],
)
def test_what_a_heading_asks(heading: str, title: str, asked: str) -> None:
    assert heading_query(heading, title) == asked


def test_a_name_asks_once_and_books_do_not_flood() -> None:
    one, other = book("one"), book("other")
    queries = list(from_structure([*one, *other]))
    assert len({normal(query.query) for query in queries}) == len(queries)
    assert {query.query_id.split("#")[0] for query in queries} == {"one"}
    few = list(from_structure([*one, *book("new", "Water vole")], StructureSettings(most_per_document=1)))
    assert [query.query_id for query in few] == ["one#title", "new#title"]


def test_titles_or_headings_alone() -> None:
    assert {q.shown for q in from_structure(book(), StructureSettings(titles=False))} == {"parents"}
    assert {q.shown for q in from_structure(book(), StructureSettings(headings=False))} == {"text"}
    for wrong in ({"siblings": -1}, {"least_words": 0}, {"most_per_document": True}):
        with pytest.raises(InvalidTrainingSettings):
            StructureSettings(**wrong)


words = st.sampled_from(["Winter", "diet", "of the badger", "1.2 Worms", "text", ""])


@settings(max_examples=150)
@given(st.lists(words, max_size=6), words, st.lists(words, max_size=3))
def test_nothing_concealed_can_be_read_off(lines: list[str], title: str, headings: list[str]) -> None:
    passage = PassageText("\n".join(lines), title, tuple(headings))
    bare = concealed(passage, "text")
    assert bare.context == ""
    names = {normal(name) for name in (title, *headings)} - {""}
    for shown in (bare, concealed(passage, "parents")):
        assert not names & {normal(line) for line in shown.text.splitlines()}
        kept = [line for line in lines if normal(line) and normal(line) not in names]
        assert [line for line in shown.text.splitlines() if line.strip()] == [
            line for line in kept if line.strip()
        ]
    assert concealed(passage, "parents").headings == tuple(headings)[:-1]
    assert concealed(passage, "all") == passage
