"""Marks of meaning: the sentence of a snippet that stands out, by a plain version; what is read and remembered."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import Hit, IndexOpenError, InvalidQuery, Mark, Query, SearchEngine
from engine.marking import APART, NEAR, Marker, standing_out
from engine.meaning import QueryEncoder
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.encoding import Vectors
from indexer.index import Index
from indexer.splitter import SplitterSettings

from .conftest import FIRST

WING = "The delta wing stalls at a high angle of attack."
OTHERS = (
    "Nobody in the village had ever tasted such sweet cherries before.",
    "Our neighbours painted their old kitchen in a bright yellow colour.",
    "Some trains arrive late whenever there is snow on the northern line.",
)
ASKED = "delta wing stalls at high angle of attack"


class Counting(HashingEncoder):
    """Remembers which sentences it was given, and fails when told to."""

    def __init__(self, dim: int = 256) -> None:
        super().__init__(dim)
        self.given: list[list[str]] = []
        self.broken = False

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        if self.broken:
            raise MemoryError("no room for the batch")
        self.given.append(list(texts))
        return super().encode_passages(texts)

    def readable(self, text: str) -> float:
        return float(text.isascii())


Made = tuple[SearchEngine, Counting, Index]


@pytest.fixture
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Made]:
    def make(*texts: str, tokens: int = 60) -> Made:
        encoder = Counting()
        index = Index.create(
            tmp_path_factory.mktemp("marks") / "index",
            encoder=encoder,
            passages=SplitterSettings(tokens=tokens, overlap=0),
        )
        with index.writer() as writer:
            for number, text in enumerate(texts):
                writer.add(Document(f"d{number}", text))
        encoder.given.clear()
        return SearchEngine(index, encoder, FIRST), encoder, index

    return make


def marked(hits: Sequence[Hit], marks: Sequence[Sequence[Mark | None]]) -> list[list[str | None]]:
    """Return what is marked, cut out of the snippets."""
    assert [len(hit.passages) for hit in hits] == [len(row) for row in marks]
    found: list[list[str | None]] = []
    for hit, row in zip(hits, marks, strict=True):
        texts: list[str | None] = []
        for passage, mark in zip(hit.passages, row, strict=True):
            snippet = passage.snippet
            if mark is not None:
                assert snippet.start <= mark.start < mark.end <= snippet.end
            texts.append(
                None if mark is None else snippet.text[mark.start - snippet.start : mark.end - snippet.start]
            )
        found.append(texts)
    return found


@given(
    cosines=st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=6),
    unrelated=st.sampled_from([0.0, 0.1, 0.75, 1.0]),
)
@settings(deadline=None, max_examples=300)
def test_one_stands_out_as_the_plain_version_says(cosines: list[float], unrelated: float) -> None:
    near = [(cosine - unrelated) / max(1 - unrelated, 1e-6) for cosine in cosines]
    expected = None
    for place, mine in enumerate(near):
        others = near[:place] + near[place + 1 :]
        if others and mine >= NEAR and all(mine - other >= APART for other in others):
            expected = place
    assert standing_out(np.array(cosines, dtype=np.float32), unrelated) == expected


@given(order=st.permutations([WING, *OTHERS]))
@settings(deadline=None, max_examples=10)
def test_the_sentence_that_is_asked_for_is_marked(
    tmp_path_factory: pytest.TempPathFactory, order: list[str]
) -> None:
    encoder = Counting()
    folder = tmp_path_factory.mktemp("marks") / "index"
    index = Index.create(folder, encoder=encoder, passages=SplitterSettings(tokens=60, overlap=0))
    text = " ".join(order)
    with index.writer() as writer:
        writer.add(Document("d", text))
    engine = SearchEngine(index, encoder, FIRST)
    hits = engine.search(ASKED).hits
    marks = engine.mark(ASKED, hits)
    assert marked(hits, marks) == [[WING]]
    mark = marks[0][0]
    assert mark is not None
    assert text[mark.start : mark.end] == WING
    expected = float(HashingEncoder(256).encode_query(WING) @ HashingEncoder(256).encode_query(ASKED))
    assert mark.cosine == pytest.approx(expected, abs=1e-5)
    assert json.loads(json.dumps(mark.to_json())) == {
        "start": mark.start,
        "end": mark.end,
        "cosine": mark.cosine,
    }


def test_nothing_is_marked_where_nothing_stands_out(made: Callable[..., Made]) -> None:
    engine, encoder, _ = made(
        WING,  # one sentence only
        f"{WING} {WING}",  # two that say the same
        " ".join(OTHERS) + " A wing.",  # nothing near
        f"# {WING}\n\n{OTHERS[0]} {OTHERS[1]}",  # a heading is no sentence
        f"Delta wing stalls high. {OTHERS[2]} {OTHERS[0]}",  # too short to say anything by itself
    )
    hits = engine.search(ASKED).hits
    assert len(hits) == 5
    assert marked(hits, engine.mark(ASKED, hits)) == [[None]] * 5
    assert len(encoder.given) == 1  # one batch for all
    assert WING not in encoder.given[0] or len([text for text in encoder.given[0] if text == WING]) == 1


def test_what_was_read_is_remembered(made: Callable[..., Made]) -> None:
    engine, encoder, _ = made(f"{WING} {OTHERS[0]}", f"{OTHERS[1]} {WING}")
    hits = engine.search(ASKED).hits
    first = engine.mark(ASKED, hits)
    assert marked(hits, first) == [[WING], [WING]]
    assert sorted(encoder.given[0]) == sorted([WING, OTHERS[0], OTHERS[1]])
    assert engine.mark(ASKED, hits) == first
    assert engine.mark("cherries", hits) != first
    assert len(encoder.given) == 1


def test_memory_is_bounded(made: Callable[..., Made]) -> None:
    engine, encoder, _ = made(f"{WING} {OTHERS[0]}", f"{OTHERS[1]} {OTHERS[2]} {WING}")
    hits = engine.search(ASKED).hits
    marker = Marker(QueryEncoder(lambda: encoder), remembered=2)
    expected = engine.mark(ASKED, hits)
    for _ in range(3):
        assert marker.mark(engine._current(), Query(ASKED), hits, 3000) == expected
        assert len(marker._known) <= 2


def test_first_passages_come_first_and_only_so_much_is_read(made: Callable[..., Made]) -> None:
    texts = [f"{WING} {other}\n\n{other} {WING}" for other in OTHERS[:2]]
    engine, encoder, index = made(*texts, tokens=28)
    hits = engine.search(ASKED).hits
    assert [len(hit.passages) for hit in hits] == [2, 2]
    size = sum(len(WING) + len(other) for other in OTHERS[:2])

    def read(characters: int) -> list[list[str | None]]:
        encoder.given.clear()
        fresh = SearchEngine(index, encoder, FIRST)
        found = marked(hits, fresh.mark(ASKED, hits, characters=characters))
        assert sum(len(text) for batch in encoder.given for text in batch) <= characters
        return found

    assert read(3000) == read(2 * size) == [[WING, WING], [WING, WING]]
    assert read(size) == read(size + 50) == [[WING, None], [WING, None]]
    assert read(size - 1) == [[WING, None], [None, None]]
    assert read(0) == [[None, None], [None, None]]


def test_operators_are_not_read(made: Callable[..., Made]) -> None:
    engine, _, _ = made(f"{WING} {OTHERS[0]}")
    hits = engine.search("wing").hits
    with_operators = engine.mark('+delta "wing stalls" at high angle of attack -cherries', hits)
    assert marked(hits, with_operators) == [[WING]]
    assert with_operators[0][0] == engine.mark(ASKED, hits)[0][0]
    for nothing in ("", "-wing", "   "):
        assert engine.mark(nothing, hits) == ((None,),)
    assert engine.mark(ASKED, []) == ()


def test_without_vectors_nothing_is_marked(made: Callable[..., Made]) -> None:
    engine, encoder, index = made(
        f"{WING} {OTHERS[0]}", f"{WING} 这个句子里有很多中文字符所以编码器读不懂它们。"
    )
    hits = engine.search("wing").hits
    assert engine.mark("德尔塔翼", hits) == ((None,), (None,))
    found = dict(zip((hit.doc_id for hit in hits), marked(hits, engine.mark(ASKED, hits)), strict=True))
    assert found == {"d0": [WING], "d1": [WING]}
    encoder.broken = True
    assert SearchEngine(index, encoder, FIRST).mark(ASKED, hits) == ((None,), (None,))


def test_what_cannot_be_asked_is_refused(made: Callable[..., Made]) -> None:
    engine, _, index = made(f"{WING} {OTHERS[0]}")
    hits = engine.search("wing").hits
    with pytest.raises(InvalidQuery, match="whole number"):
        engine.mark(ASKED, hits, characters=-1)
    with pytest.raises(InvalidQuery, match="is a string"):
        engine.mark(7, hits)  # type: ignore[arg-type]
    with pytest.raises(IndexOpenError, match="hashing:8"):
        SearchEngine(index, HashingEncoder(8), FIRST).mark(ASKED, hits)
