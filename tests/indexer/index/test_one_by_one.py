"""What the combined calls of a reader give is what the single ones do, put together by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st

from indexer.document import Document, kind_of
from indexer.encoder.hashing import HashingEncoder
from indexer.filters import Eq
from indexer.index import Index
from indexer.local.reader import LocalReader
from indexer.protocol import Clause, LexicalQuery

ENCODER = HashingEncoder(16)
WORDS = ("heron", "stream", "granite", "orchard", "lantern", "copper", "violin")
TAGS = [("a", "b", "a"), "a", "b", None, 3]
YEARS = [1999, True, 1, date(2024, 1, 1), 1999.0]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalReader]:
    draw = np.random.default_rng(7)
    folder: Path = tmp_path_factory.mktemp("one-by-one") / "index"
    with Index.create(folder, encoder=ENCODER) as index:
        with index.writer() as writer:
            for number in range(30):
                lines = [" ".join(draw.choice(WORDS, 60)) + "." for _ in range(1 + number % 6)]
                tag, year = TAGS[number % 5], YEARS[number // 5 % 5]
                metadata = {"year": year} if tag is None else {"tag": tag, "year": year}
                # Of letters that the encoder cannot read there is no vector.
                text = "\n\n".join(lines) if number % 7 else "…" * 50 + " ".join(lines)
                writer.add(Document(f"d{number:02}", text, WORDS[number % 7], metadata))
        yield index.reader()


QUERY = LexicalQuery((Clause(("heron",)), Clause(("granit",), weight=2.0)), title=0.5)


def vector(seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=16).astype(np.float32)
    return drawn / np.linalg.norm(drawn)


@tried(deadline=None, max_examples=25)
@given(st.integers(0, 9), st.integers(0, 40), st.integers(0, 40), st.booleans(), st.booleans())
def test_proposals(reader: LocalReader, seed: int, lexical: int, dense: int, whole: bool, some: bool) -> None:
    selection = reader.select(Eq("tag", "a")) if some else None
    found = reader.propose(QUERY, vector(seed), lexical, dense, selection, whole)
    for candidates, expected in (
        (found.lexical, reader.lexical(QUERY, lexical, selection)),
        (found.dense, reader.dense(vector(seed), dense, selection)),
    ):
        np.testing.assert_array_equal(candidates.passages, expected.passages)
        np.testing.assert_array_equal(candidates.scores, expected.scores)
    assert found.whole_best == (reader.whole_best(QUERY, selection) if whole else 0.0)
    assert len(reader.propose(QUERY, None, lexical, 40, selection).dense) == 0


@tried(deadline=None, max_examples=25)
@given(st.integers(0, 9), st.data())
def test_passages_near(reader: LocalReader, seed: int, data: st.DataObject) -> None:
    live = reader.live_documents().tolist()
    documents = np.array(sorted(data.draw(st.sets(st.sampled_from(live), min_size=1))), dtype=np.int64)
    every, owners = reader.passages_of_all(documents)
    known = np.array(sorted(data.draw(st.sets(st.sampled_from(every.tolist())))), dtype=np.int64)
    least = np.array(data.draw(st.lists(st.floats(-1, 1), min_size=len(documents), max_size=len(documents))))
    lowest = dict(zip(documents.tolist(), least.astype(np.float32).tolist(), strict=True))
    cosines = reader.dense_scores(vector(seed), every)
    expected = {
        number: owner
        for number, owner, cosine in zip(every.tolist(), owners.tolist(), cosines.tolist(), strict=True)
        if number not in known.tolist() and (cosine != cosine or cosine >= lowest[owner])
    }
    passages, theirs, found = reader.passages_near(vector(seed), documents, least.astype(np.float32), known)
    assert passages.tolist() == sorted(expected)
    assert theirs.tolist() == [expected[number] for number in passages.tolist()]
    np.testing.assert_array_equal(found, reader.dense_scores(vector(seed), passages))


def test_scores_looked_up_together(reader: LocalReader) -> None:
    every, _ = reader.passages_of_all(reader.live_documents())
    documents = reader.live_documents()[::3]
    found = reader.scores_of(QUERY, vector(1), every[::2], every[1::3], documents)
    np.testing.assert_array_equal(found.bm25, reader.lexical_scores(QUERY, every[::2]))
    np.testing.assert_array_equal(found.cosines, reader.dense_scores(vector(1), every[1::3]))
    np.testing.assert_array_equal(found.whole, reader.whole_scores(QUERY, documents))
    none = every[:0]
    found = reader.scores_of(QUERY, None, none, every[:4], none)
    assert np.isnan(found.cosines).all()
    assert len(found.cosines) == 4
    assert len(found.bm25) == len(found.whole) == 0


def test_values_are_counted_by_kind(reader: LocalReader) -> None:
    documents = reader.live_documents()
    found = reader.value_counts(("tag", "year"), documents)
    expected: dict[str, Counter[tuple[str, object]]] = {"tag": Counter(), "year": Counter()}
    for stored in reader.documents(documents):
        for name, counter in expected.items():
            value = stored.metadata.get(name, ())
            values = value if isinstance(value, tuple) else (value,)
            counter.update({(kind_of(item), item) for item in values})
    assert {
        name: Counter({(kind_of(v), v): n for v, n in counts}) for name, counts in found.items()
    } == expected
    assert ("bool", True) in expected["year"]
    assert ("number", 1) in expected["year"]


def test_what_a_selection_holds(reader: LocalReader) -> None:
    selection = reader.select(Eq("tag", "a"))
    assert selection is not None
    documents = np.array([-1, 10**9, *reader.live_documents().tolist()])
    held = selection.holds(documents)
    assert held.tolist() == [number in selection for number in documents.tolist()]
    assert held.sum() == selection.count > 0


def test_texts_and_vectors_of_several(reader: LocalReader) -> None:
    live = reader.live_documents().tolist()
    spans = [(number, number, number + 30) for number in live[:5]]
    assert reader.texts(spans) == [reader.text(*span) for span in spans]
    vectors = np.stack([vector(1), vector(2)])
    for found, one in zip(reader.dense_each(vectors, 7), vectors, strict=True):
        np.testing.assert_array_equal(found.passages, reader.dense(one, 7).passages)


def test_a_reader_on_one_machine_lacks_nothing(reader: LocalReader) -> None:
    told: list[str] = []
    assert reader.watched(told.append) is reader
    assert not told
