"""BM25 of whole documents: against the formula, under any selection, and made for indexes that have none."""

from __future__ import annotations

import json
import math
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import indexer.local.reader as local_reader
from indexer.document import Block, Document
from indexer.encoder.hashing import HashingEncoder
from indexer.filters import Filter, In, Not, Range
from indexer.index import Index
from indexer.local.reader import LocalReader
from indexer.protocol import Clause, LexicalQuery
from indexer.splitter import SplitterSettings
from small_corpus import WORDS, CountingEncoder, make_document

COUNT = 70


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> LocalReader:
    """Documents of several short passages each, one without any, some replaced and deleted; compacted."""
    path = tmp_path_factory.mktemp("whole") / "index"
    index = Index.create(path, encoder=HashingEncoder(32), passages=SplitterSettings(tokens=16, overlap=0))
    with index.writer() as writer:
        for number in range(COUNT):
            writer.add(make_document(number, seed=1))
        writer.add(Document("without passages", "", "harbour"))
    with index.writer() as writer:
        for number in range(COUNT):
            # At most 40 terms, title and text together: tantivy keeps longer lengths to about 6% only.
            writer.add(make_document(number, words=10 + number % 25))
        writer.delete("doc-003")
    assert index.verify().sound
    index.compact()  # from here on BM25 counts live documents only, as the oracle does
    assert index.verify().sound
    return index.reader()


def with_passages(reader: LocalReader) -> list[int]:
    return [int(n) for n in reader.live_documents() if len(reader.passages_of(int(n)))]


def plain_bm25(reader: LocalReader, query: LexicalQuery) -> dict[int, float]:
    """Score every document by the formula, in double precision, a term and a field at a time."""
    terms = reader.analyser.terms
    numbers = with_passages(reader)
    stored = reader.documents(numbers)
    scores = dict.fromkeys((int(n) for n in reader.live_documents()), 0.0)
    titles = {document.number: terms(document.title) for document in stored}
    texts = {n: titles[n] + terms(reader.text(n, 0, reader.documents([n])[0].length)) for n in titles}
    for entries, weight, in_titles in ((titles, query.title, True), (texts, query.body, False)):
        mean = sum(map(len, entries.values())) / len(entries)
        for clause in query.clauses:
            if (clause.field == "title") != in_titles:
                continue
            for term in clause.terms:
                frequency = sum(term in entry for entry in entries.values())
                idf = math.log(1 + (len(entries) - frequency + 0.5) / (frequency + 0.5))
                for number, entry in entries.items():
                    count = entry.count(term)
                    norm = 1.2 * (0.25 + 0.75 * len(entry) / mean)
                    scores[number] += weight * clause.weight * idf * count / (count + norm)
    return scores


clauses = st.builds(
    Clause,
    st.lists(st.sampled_from([word[:] for word in WORDS]), min_size=1, max_size=3).map(tuple),
    st.sampled_from(["any", "any", "title", "headings", "body"]),
    st.sampled_from([1.0, 2.0]),
)
queries = st.builds(
    lambda parts, title, body: LexicalQuery(tuple(parts), title=title, body=body),
    st.lists(clauses, min_size=1, max_size=4),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([1.0, 2.0]),
)
filters = st.one_of(
    st.none(),
    st.lists(st.integers(0, COUNT), max_size=6).map(lambda numbers: In("number", tuple(numbers))),
    st.integers(0, COUNT).map(lambda number: Range("number", lt=number)),
    st.integers(0, COUNT).map(lambda number: Not(In("number", (number,)))),
)


def analysed(reader: LocalReader, query: LexicalQuery) -> LexicalQuery:
    terms = reader.analyser.terms
    parts = tuple(
        Clause(tuple(term for word in clause.terms for term in terms(word)), clause.field, clause.weight)
        for clause in query.clauses
    )
    return LexicalQuery(parts, title=query.title, headings=query.headings, body=query.body)


@given(queries, st.randoms(use_true_random=False))
@settings(deadline=None, max_examples=30)
def test_scores_are_the_formula(reader: LocalReader, query: LexicalQuery, chance: object) -> None:
    query = analysed(reader, query)
    expected = plain_bm25(reader, query)
    asked = list(expected)
    chance.shuffle(asked)  # type: ignore[attr-defined]
    asked = asked[: 1 + len(asked) // 2]
    found = reader.whole_scores(query, np.array(asked, dtype=np.int64))
    np.testing.assert_allclose(found, [expected[number] for number in asked], rtol=1e-4, atol=1e-6)
    assert reader.whole_scores(query, np.zeros(0, np.int64)).shape == (0,)


@pytest.mark.parametrize("few", [4096, 2])
@given(query=queries, chosen=filters)
@settings(deadline=None, max_examples=40)
def test_the_best_is_the_highest_of_those_that_may_answer(
    reader: LocalReader, few: int, query: LexicalQuery, chosen: Filter | None
) -> None:
    query = analysed(reader, query)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(local_reader, "_FEW_DOCUMENTS", few)
        selection = reader.select(chosen)
        documents = [int(n) for n in reader.live_documents() if selection is None or int(n) in selection]
        every = reader.whole_scores(query, np.array(documents, dtype=np.int64))
        assert reader.whole_best(query, selection) == pytest.approx(every.max(initial=0.0), rel=1e-6)


def test_a_query_of_nothing_scores_nothing(reader: LocalReader) -> None:
    documents = reader.live_documents()
    for query in (LexicalQuery(()), LexicalQuery((Clause(("nowhere",)),))):
        assert not reader.whole_scores(query, documents).any()
        assert reader.whole_best(query) == 0.0


def test_headings_and_the_text_between_passages_count(tmp_path: Path) -> None:
    text = "Lanterns\nharbour and granite\nMeadows\nharbour and copper"
    blocks = (
        Block("heading", 0, 8, level=1),
        Block("paragraph", 9, 28),
        Block("heading", 29, 36, level=1),
        Block("paragraph", 37, len(text)),
    )
    index = Index.create(tmp_path / "index", encoder=HashingEncoder(32))
    with index.writer() as writer:
        writer.add(Document("one", text, blocks=blocks))
        writer.add(Document("other", "nothing of it"))
    reader = index.reader()
    (term,) = reader.analyser.terms("lanterns")
    number = np.array([reader.find("one").number])
    assert reader.whole_scores(LexicalQuery((Clause((term,)),)), number)[0] > 0
    assert reader.whole_scores(LexicalQuery((Clause((term,), "headings"),)), number)[0] > 0
    assert reader.whole_scores(LexicalQuery((Clause((term,), "title"),)), number)[0] == 0


def forget_the_whole(path: Path, generation: int | None = None) -> None:
    """Make an index as it was before there was an index of whole documents."""
    sealed = json.loads((path / "manifest.json").read_text())
    content = json.loads(sealed["manifest"])
    shutil.rmtree(path / "epoch-1" / content.pop("whole"))
    content["files"] = {name: check for name, check in content["files"].items() if "whole" not in name}
    if generation is not None:
        content["generation"] = generation
    body = json.dumps(content)
    sealed = {"crc": zlib.crc32(body.encode()), "manifest": body}
    (path / "manifest.json").write_text(json.dumps(sealed))


def test_an_index_made_before_gets_it_on_open_without_encoding(
    filled: Callable[[int], Index], encoder: CountingEncoder
) -> None:
    index = filled(12)
    with index.writer() as writer:
        writer.delete("doc-004")
        writer.add(make_document(5, seed=3))
    query = LexicalQuery((Clause(tuple(index.analyser.terms("harbour"))),))
    everything = index.reader().live_documents()
    before = index.reader().whole_scores(query, everything)
    passages = index.reader().lexical(query, 100)
    index.close()
    forget_the_whole(index.path)
    encoder.encoded = 0
    again = Index.open(index.path, encoder=encoder)
    report = again.verify()
    assert report.sound, report.problems
    assert encoder.encoded == 0
    np.testing.assert_array_equal(again.reader().live_documents(), everything)
    np.testing.assert_allclose(again.reader().lexical(query, 100).scores, passages.scores)
    found = again.reader().whole_scores(query, everything)
    np.testing.assert_array_equal(found > 0, before > 0)
    with again.writer() as writer:
        writer.add(make_document(20))
    assert again.verify().sound


def test_an_old_index_that_also_crashed_gets_both(
    filled: Callable[[int], Index], encoder: CountingEncoder
) -> None:
    """The manifest has no whole index, and is a generation behind SQLite."""
    index = filled(6)
    manifest = (index.path / "manifest.json").read_bytes()
    kept = index.path.parent / "kept"
    shutil.copytree(index.path / "epoch-1", kept)
    with index.writer() as writer:
        writer.add(make_document(2, seed=5))
        writer.delete("doc-001")
        writer.add(make_document(9))
    index.close()
    (index.path / "manifest.json").write_bytes(manifest)
    for name in ("lexical-1", "whole-1"):
        shutil.rmtree(index.path / "epoch-1" / name, ignore_errors=True)
        shutil.copytree(kept / name, index.path / "epoch-1" / name)
    forget_the_whole(index.path)
    again = Index.open(index.path, encoder=encoder)
    report = again.verify()
    assert report.sound, report.problems
    assert report.generation == 2
    assert report.documents == 6
