"""Documents like a given one: by a slow plain version, exactly and by proposals, and what is told of each."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import InvalidQuery, NoSuchDocument, SearchEngine, Similar
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.filters import Eq, Filter
from indexer.index import Index
from indexer.splitter import SplitterSettings

from .conftest import ENCODER, FIRST, fill

FILTERS: list[tuple[Filter | dict[str, object] | None, Callable[[Document], bool]]] = [
    (None, lambda document: True),
    (Eq("lang", "de"), lambda document: document.metadata.get("lang") == "de"),
    ({"year": {"gte": 2000}}, lambda document: int(str(document.metadata.get("year", 0))) >= 2000),
]


def plainly(index: Index, corpus: Sequence[Document], of: str) -> list[tuple[float, str]]:
    """Return (minus cosine, id) of all other documents, best first, with vectors summed number by number."""
    reader = index.reader()
    sums: dict[str, list[float]] = {}
    for document in corpus:
        stored = reader.find(document.doc_id)
        assert stored is not None
        total = [0.0] * ENCODER.dim
        for row in reader.vectors(reader.passages_of(stored.number)).tolist():
            total = [a + b for a, b in zip(total, row, strict=True)]
        sums[document.doc_id] = total
    mine = sums[of]

    def cosine(other: list[float]) -> float:
        product = math.fsum(a * b for a, b in zip(mine, other, strict=True))
        return product / (math.hypot(*mine) * math.hypot(*other))

    found = [(-cosine(other), doc_id) for doc_id, other in sums.items() if doc_id != of and any(other)]
    return sorted(found)


@given(which=st.integers(0, 61), k=st.sampled_from([0, 1, 5, 100]), chosen=st.sampled_from(FILTERS))
@settings(deadline=None, max_examples=40)
def test_the_nearest_are_those_of_the_plain_version(
    index: Index,
    search_engine: SearchEngine,
    corpus: list[Document],
    which: int,
    k: int,
    chosen: tuple[Filter | dict[str, object] | None, Callable[[Document], bool]],
) -> None:
    filters, passes = chosen
    given_one = corpus[which]
    found = search_engine.similar(given_one.doc_id, k=k, filters=filters)
    may = {document.doc_id for document in corpus if passes(document)}
    expected = [(-less, doc_id) for less, doc_id in plainly(index, corpus, given_one.doc_id) if doc_id in may]
    expected = [pair for pair in expected if pair[0] > index.reader().unrelated_cosine][:k]
    assert [item.score for item in found] == pytest.approx([cosine for cosine, _ in expected], abs=1e-5)
    assert [item.rank for item in found] == list(range(1, len(expected) + 1))
    assert given_one.doc_id not in {item.doc_id for item in found}
    # Where cosines are equal to the last bits, only the order of those may differ.
    by_id = dict((doc_id, cosine) for cosine, doc_id in expected)
    for item, (cosine, _) in zip(found, expected, strict=True):
        assert by_id.get(item.doc_id, cosine) == pytest.approx(cosine, abs=1e-5)
        assert item.cosine == item.score
    assert (found.doc_id, found.title) == (given_one.doc_id, given_one.title)
    assert bool(found.notices) == (k > 0 and not expected)


def test_a_twin_is_the_nearest_and_equals_go_by_id(search_engine: SearchEngine) -> None:
    found = search_engine.similar("d05")
    assert [item.doc_id for item in found][:2] == ["aa", "zz"]
    assert found.items[0].cosine == pytest.approx(1.0)


@given(which=st.integers(0, 61))
@settings(deadline=None, max_examples=20)
def test_proposals_find_the_same_in_a_small_index(
    search_engine: SearchEngine, index: Index, corpus: list[Document], which: int
) -> None:
    exactly = search_engine.similar(corpus[which].doc_id)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("engine.likeness.EXACT_DOCUMENTS", 0)
        patch.setattr("engine.likeness._DEPTH", 3)  # so that it has to ask again
        proposed = SearchEngine(index, ENCODER, FIRST).similar(corpus[which].doc_id)
    assert [item.score for item in proposed] == pytest.approx([item.score for item in exactly], abs=1e-5)


def test_reasons_are_words_of_both(make_index: Callable[..., Index]) -> None:
    wing = "The delta wing stalls late. A delta wing needs a high angle of attack."
    engine = SearchEngine(
        make_index(
            Document("a", wing, "Delta wing stall"),
            Document("b", "We flew the delta wing again and the delta wing did not stall."),
            Document("c", "Cheese is made of milk by people who like cheese."),
        ),
        ENCODER,
        FIRST,
    )
    first = engine.similar("a").items[0]
    assert first.doc_id == "b"
    assert "delta wing" in [word.casefold() for word in first.words]
    assert first.reason.startswith(f"{first.score:.2f} near; both say ")
    told = json.loads(json.dumps(engine.similar("a").to_json()))
    assert told["items"][0]["reason"] == first.reason
    assert told["doc_id"] == "a"


class Latin(HashingEncoder):
    """Reads no Chinese."""

    def readable(self, text: str) -> float:
        return float(text.isascii())


def test_without_a_vector_words_decide(tmp_path_factory: pytest.TempPathFactory) -> None:
    encoder = Latin(32)
    index = Index.create(
        tmp_path_factory.mktemp("latin") / "index",
        encoder=encoder,
        passages=SplitterSettings(tokens=64, overlap=0),
    )
    fill(
        index,
        [
            Document("鲸", "鲸鱼生活在海洋里。鲸鱼是哺乳动物。鲸鱼很大。", "鲸鱼", {"lang": "zh"}),
            Document("海", "海洋里有鲸鱼和鲨鱼。", "海洋", {"lang": "zh"}),
            Document("山", "山上有很多树和石头。", "高山", {"lang": "zh"}),
            Document("en", "Mountains and trees.", "Hills", {"lang": "en"}),
        ],
    )
    engine = SearchEngine(index, encoder, FIRST)
    found = engine.similar("鲸")
    assert [item.doc_id for item in found][:1] == ["海"]
    assert "en" not in {item.doc_id for item in found}
    assert found.items[0].cosine is None
    assert 0 < found.items[0].score
    assert found.items[0].reason.startswith("both say ")
    assert "鲸鱼" in found.items[0].words
    assert "has no vector" in found.notices[0]
    assert engine.similar("鲸", filters={"lang": "en"}).items == ()
    assert len(engine.similar("鲸", filters={"lang": "en"}).notices) == 2
    assert len(engine.similar("en")) == 0  # there is nothing else with a vector
    assert list(engine.similar("鲸", k=0)) == []


def test_what_cannot_be_asked_is_refused(search_engine: SearchEngine) -> None:
    with pytest.raises(NoSuchDocument, match="no document 'nope'") as caught:
        search_engine.similar("nope")
    assert caught.value.status == 404
    for wrong in ({"k": -1}, {"k": 1.5}, {"filters": {"yaer": 1990}}, {"filters": {"year": object()}}):
        with pytest.raises(InvalidQuery):
            search_engine.similar("d01", **wrong)


def test_a_new_generation_is_seen(make_index: Callable[..., Index]) -> None:
    index = make_index(Document("a", "delta wing stall"), Document("b", "delta wing"))
    engine = SearchEngine(index, ENCODER, FIRST)
    assert [item.doc_id for item in engine.similar("a")] == ["b"]
    fill(index, [Document("c", "delta wing stall")], ["b"])
    assert engine.refresh()
    assert [item.doc_id for item in engine.similar("a")] == ["c"]


def test_an_answer_can_be_counted_and_walked() -> None:
    assert len(Similar("a", "", ())) == 0
    assert list(Similar("a", "", ())) == []
