"""A reader of an index on a real server beside one of the same documents in a folder: answers, and what they cost.

That every call answers as it should is the business of tests/conformance; here is what is Elasticsearch's own: round
trips, pages of answers, what is remembered, selections too large to name, and clusters that fall silent.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.document import Document
from indexer.elastic.reading import bodies, selection
from indexer.elastic.reading.reader import ElasticReader
from indexer.elastic.settings import ElasticSettings
from indexer.elastic.wire.connection import Cluster
from indexer.encoder.hashing import HashingEncoder
from indexer.encoding import Vectors
from indexer.errors import IndexUnavailable, InvalidFilter
from indexer.filters import And, Eq, Exists, Not, Range
from indexer.index import Index
from indexer.local.reader import LocalReader
from indexer.opening import create_index
from indexer.protocol import Clause, LexicalQuery, Numbers
from indexer.splitter import SplitterSettings

pytestmark = pytest.mark.elasticsearch

WORDS = "harbour lantern granite meadow thunder copper violet saddle ember willow canyon ledger".split()
PASSAGES = SplitterSettings(tokens=24, overlap=0)
QUERY = LexicalQuery(
    (Clause(("harbour",)), Clause(("lantern",), weight=2.0), Clause(("granit", "meadow"))), 0.5, 0.7
)
RARE = LexicalQuery((Clause(("zephyr",)),))


class Encoder(HashingEncoder):
    """HashingEncoder that cannot read capitals: passages of them get no vector."""

    def readable(self, text: str) -> float:
        letters = [letter for letter in text if letter.isalpha()]
        return sum(map(str.islower, letters)) / max(len(letters), 1)


ENCODER = Encoder(32)


def documents() -> list[Document]:
    chance = random.Random(3)
    made = []
    for n in range(60):
        sentences = [
            " ".join(chance.choices(WORDS, k=chance.randint(4, 12))) + "."
            for _ in range(chance.randint(1, 12))
        ]
        if n % 10 == 3:
            sentences = [sentence.upper() for sentence in sentences]
        values: dict[str, Any] = {"n": n, "even": n % 2 == 0, "day": date(2020, 1, 1 + n % 28)}
        if n % 3:
            values["tags"] = (f"t{n % 4}", f"t{n % 5}")
        made.append(Document(f"doc-{n}", " ".join(sentences), WORDS[n % 12].title(), values))
    return [*made, Document("rare", "Zephyr of the harbour.", "Zephyr"), Document("empty", "")]


@dataclass
class Both:
    """A reader of each backend, with the numbers of the one for those of the other."""

    local: LocalReader
    elastic: ElasticReader
    cluster: Cluster
    passages: dict[int, int] = field(default_factory=dict)
    documents: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for number in self.local.live_documents():
            (doc_id,) = self.local.doc_ids(np.array([number]))
            other = int(self.elastic.find_all([doc_id])[0])
            self.documents[int(number)] = other
            mine = self.local.passages_of(int(number)).tolist()
            self.passages.update(zip(mine, self.elastic.passages_of(other).tolist(), strict=True))

    def theirs(self, numbers: Numbers) -> Numbers:
        return np.array([self.passages[number] for number in numbers.tolist()], dtype=np.int64)

    def their_documents(self, numbers: Numbers) -> Numbers:
        return np.array([self.documents[number] for number in numbers.tolist()], dtype=np.int64)


@pytest.fixture(scope="module")
def both(elasticsearch_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    from elasticsearch_server import drop

    folder: Path = tmp_path_factory.mktemp("reader") / "index"
    host = elasticsearch_url.split("://")[1]
    place = f"elasticsearch://{host}/quire-test-reader-{folder.parent.name}-{random.SystemRandom().randrange(2**32)}"
    local = Index.create(folder, encoder=ENCODER, passages=PASSAGES)
    settings = ElasticSettings(shards=3, replicas=0, timeout_seconds=30)
    elastic = create_index(place, encoder=ENCODER, passages=PASSAGES, elastic=settings)
    for index in (local, elastic):
        with index.writer() as writer:
            for document in documents():
                writer.add(document)
    reader = elastic.reader()
    assert isinstance(reader, ElasticReader)
    yield Both(local.reader(), reader, reader._point._cluster)
    elastic.close()
    drop(elasticsearch_url, place.rsplit("/", 1)[1])


@pytest.fixture
def trips(both: Both, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Returns how many requests there were since it was last called."""
    made: list[str] = []
    ask = both.cluster._ask

    def counted(call: Any) -> Any:
        made.append(call.target)
        return ask(call)

    monkeypatch.setattr(both.cluster, "_ask", counted)

    def count() -> int:
        done = len(made)
        made.clear()
        return done

    return count


def vector(text: str = "harbour lantern") -> Vectors:
    return ENCODER.encode_query(text)


def fresh(both: Both) -> ElasticReader:
    """Return a reader that remembers nothing."""
    names = both.elastic._point._names
    return ElasticReader.open(both.cluster, names["passages"], names["documents"], both.elastic.analyser)


def test_it_is_the_same_index(both: Both) -> None:
    local, elastic = both.local, both.elastic
    assert elastic.document_count == local.document_count == 62
    assert elastic.passage_count == local.passage_count
    assert 0 < elastic.vector_count == local.vector_count < local.passage_count
    assert elastic.fields() == local.fields()
    assert elastic.encoder_fingerprint == local.encoder_fingerprint
    assert elastic.unrelated_cosine == local.unrelated_cosine


def test_a_search_is_a_few_requests(both: Both, trips: Callable[[], int]) -> None:
    reader = fresh(both)
    trips()
    found = reader.propose(QUERY, vector(), 30, 30, None, True)
    assert trips() == 1
    passages = np.union1d(found.lexical.passages, found.dense.passages)
    owners = np.union1d(found.lexical.documents, found.dense.documents)
    reader.scores_of(QUERY, vector(), passages, passages, owners)
    assert trips() == 1
    reader.passages_near(vector(), owners, np.full(len(owners), 0.1, dtype=np.float32), passages[:5])
    assert trips() == 1
    reader.explain_lexical(QUERY, passages)
    assert trips() == 1
    reader.dense_each(np.stack([vector("ember"), vector("willow"), vector("canyon")]), 10)
    assert trips() == 1
    reader.document_frequencies(["harbour", "ember", "nowhere"])
    assert trips() == 1
    assert reader.document_frequencies(["nowhere", "harbour"])[0] == 0
    assert trips() == 0
    reader.doc_ids(owners)
    assert trips() == 0  # they came with the proposals


def test_what_is_shown_of_passages_is_one_request(both: Both, trips: Callable[[], int]) -> None:
    reader = fresh(both)
    found = reader.propose(QUERY, None, 8, 0).lexical
    trips()
    stored = reader.passages(found.passages)
    assert trips() == 1
    texts = reader.texts([(one.document, one.passage.start, one.passage.end) for one in stored])
    documents = reader.documents(found.documents)
    reader.passages_of_all(found.documents)
    reader.passages(found.passages)
    assert trips() == 0
    assert [one.passage.doc_id for one in stored] == [document.doc_id for document in documents]
    for one, text in zip(stored, texts, strict=True):
        original = both.local.find(one.passage.doc_id)
        assert original is not None
        assert text == both.local.text(original.number, one.passage.start, one.passage.end)
        # A stretch that begins elsewhere is read from the document's text.
        start, end = one.passage.start + 1, one.passage.end + 5
        assert reader.text(one.document, start, end) == both.local.text(original.number, start, end)


@pytest.mark.parametrize("page", [3, 7, 10_000])
def test_lists_longer_than_an_answer_are_whole(
    both: Both, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    monkeypatch.setattr(bodies, "PAGE", page)
    reader, local = fresh(both), both.local
    ours, theirs = local.propose(QUERY, vector(), 50, 500), reader.propose(QUERY, vector(), 50, 500)
    assert np.allclose(theirs.lexical.scores, ours.lexical.scores, atol=1e-5)
    assert np.allclose(theirs.dense.scores, ours.dense.scores, atol=1e-5)
    assert sorted(theirs.dense.passages.tolist()) == sorted(both.theirs(ours.dense.passages).tolist())
    assert len(theirs.dense) == reader.vector_count
    everything = reader.live_documents()
    assert everything.tolist() == sorted(both.documents.values())
    passages, _ = local.passages_of_all(local.live_documents())
    asked = both.theirs(passages)
    for one, other in zip(
        (local.lexical_scores(QUERY, passages), local.dense_scores(vector(), passages)),
        (reader.lexical_scores(QUERY, asked), reader.dense_scores(vector(), asked)),
        strict=True,
    ):
        assert np.allclose(one, other, atol=1e-5, equal_nan=True)
    least = np.full(len(everything), -2.0, dtype=np.float32)
    near, owners, cosines = reader.passages_near(vector(), everything, least, asked[:4])
    assert near.tolist() == sorted(set(asked.tolist()) - set(asked[:4].tolist()))
    assert np.isnan(cosines).sum() == np.isnan(local.dense_scores(vector(), passages[4:])).sum() > 0
    assert all(owner <= number for owner, number in zip(owners, near, strict=True))


def test_vectors_of_any_length_can_be_asked_for(both: Both) -> None:
    for asked in (vector() * 3, vector() * 0.01, np.zeros(32, dtype=np.float32)):
        ours, theirs = both.local.dense(asked, 20), both.elastic.dense(asked, 20)
        assert np.allclose(ours.scores, theirs.scores, atol=1e-5)
        assert np.allclose(
            both.local.dense_scores(asked, ours.passages),
            both.elastic.dense_scores(asked, both.theirs(ours.passages)),
            atol=1e-5,
        )
        assert (np.diff(theirs.passages[theirs.scores == theirs.scores[0]]) > 0).all()


@pytest.mark.parametrize(
    "asked",
    [
        (And((Eq("even", True), Range("n", gte=10, lt=40))), [], []),
        (None, [Clause(("harbour",))], [Clause(("ember",)), Clause(("canyon", "ledger"))]),
        (Not(Exists("tags")), [Clause(("harbour",)), Clause(("lantern",), "title")], []),
        (Range("day", gt=date(2020, 1, 9)), [], [Clause(("harbour",), "body")]),
        (Eq("n", -1), [], []),
    ],
    ids=str,
)
@pytest.mark.parametrize("most", [65_536, 2])
def test_selections_hold_the_same_documents(
    both: Both, monkeypatch: pytest.MonkeyPatch, asked: Any, most: int
) -> None:
    monkeypatch.setattr(selection, "MOST_TERMS", most)
    sentences: list[str] = []
    ours = both.local.select(*asked)
    theirs = both.elastic.watched(sentences.append).select(*asked)
    assert ours is not None
    assert theirs is not None
    if most == 2 and (asked[1] or asked[2]):
        # Too many documents to name: passages answer for themselves, and that is said.
        assert all(sentence.startswith("More than 2 documents hold") for sentence in sentences)
        assert sentences
        found = both.elastic.lexical(QUERY, 500, theirs)
        held = {both.documents[number] for number in np.flatnonzero(ours.mask).tolist()}
        if not asked[2]:
            assert set(found.documents.tolist()) <= held
        return
    assert not sentences
    everything = both.local.live_documents()
    assert theirs.holds(both.their_documents(everything)).tolist() == ours.holds(everything).tolist()
    assert theirs.count == ours.count
    assert (both.documents[3] in theirs) == (3 in ours)
    one = both.local.propose(QUERY, vector(), 500, 500, ours, True)
    other = both.elastic.propose(QUERY, vector(), 500, 500, theirs, True)
    assert sorted(both.theirs(one.lexical.passages)) == sorted(other.lexical.passages)
    assert sorted(both.theirs(one.dense.passages)) == sorted(other.dense.passages)
    assert other.whole_best == pytest.approx(one.whole_best, abs=1e-5)


def test_how_many_are_selected_is_learnt_with_the_proposals(both: Both, trips: Callable[[], int]) -> None:
    chosen = both.elastic.select(Eq("even", True))
    assert chosen is not None
    assert trips() == 0
    both.elastic.propose(QUERY, vector(), 10, 10, chosen)
    assert trips() == 1
    assert chosen.count == 30
    assert trips() == 0


def test_another_readers_selection_is_refused(both: Both) -> None:
    ours = both.local.select(Eq("even", True))
    with pytest.raises(InvalidFilter, match="the reader that made it"):
        both.elastic.lexical(QUERY, 5, ours)


def test_values_are_counted_as_they_are(both: Both) -> None:
    everything = both.local.live_documents()
    names = ["n", "even", "day", "tags", "nothing"]
    ours = both.local.value_counts(names, everything)
    theirs = both.elastic.value_counts(names, both.their_documents(everything))
    for name in names:
        assert sorted(map(repr, ours[name])) == sorted(map(repr, theirs[name]))


def test_words_nearby(both: Both) -> None:
    assert both.elastic.spellings("harbor", 3)[0][0] == "harbour"
    assert both.elastic.spellings("zephir") == [("zephyr", 1)]
    assert both.elastic.spellings("xyzzy") == []
    assert both.elastic.spellings("two words") == []


def test_a_reader_that_lost_its_points_in_time_goes_on(both: Both) -> None:
    reader = fresh(both)
    before = reader.propose(RARE, None, 5, 0).lexical
    reader.close()
    sentences: list[str] = []
    after = reader.watched(sentences.append).propose(RARE, None, 5, 0).lexical
    assert (before.passages == after.passages).all()
    assert before.scores == pytest.approx(after.scores)
    assert reader._point.turn == 1
    assert sentences == []


def test_a_shard_that_is_silent_is_told_of_once(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = fresh(both)
    ask = both.cluster.msearch

    def half(*searches: Any, **choices: Any) -> Any:
        answers = ask(*searches, **choices)
        for one in answers:
            one["_shards"] = {"total": 3, "successful": 2, "failed": 1}
        return answers

    monkeypatch.setattr(both.cluster, "msearch", half)
    sentences: list[str] = []
    watched = reader.watched(sentences.append)
    for _ in range(3):
        assert len(watched.lexical(QUERY, 5)) == 5
    assert sentences == ["1 of 3 shards did not answer: results may be missing."]


def test_counts_are_taken_again_once_shards_are_back(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = both.cluster.msearch

    def none(*searches: Any, **choices: Any) -> Any:
        answers = ask(*searches, **choices)
        for one in answers:
            if "total" in one.get("hits", {}):
                one["hits"]["total"]["value"] = 1
                one["_shards"] = {"total": 3, "successful": 2, "failed": 1}
        return answers

    with monkeypatch.context() as silent:
        silent.setattr(both.cluster, "msearch", none)
        reader = fresh(both)
        assert reader.document_count == 1
    reader.close()  # so that points in time are opened again
    reader.lexical(QUERY, 5)
    assert reader.document_count == 62


def test_what_silent_shards_hold_is_named_or_refused(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = fresh(both)
    found = reader.lexical(QUERY, 5)
    ask = both.cluster.msearch

    def nothing(*searches: Any, **choices: Any) -> Any:
        answers = ask(*searches, **choices)
        for one in answers:
            one["hits"]["hits"] = []
            one["_shards"] = {"total": 3, "successful": 0, "failed": 3}
        return answers

    monkeypatch.setattr(both.cluster, "msearch", nothing)
    sentences: list[str] = []
    watched = reader.watched(sentences.append)
    named = watched.documents(found.documents)
    assert [document.doc_id for document in named] == watched.doc_ids(found.documents)
    assert {document.title for document in named} == {""}
    assert sentences == ["3 of 3 shards did not answer: results may be missing."]
    with pytest.raises(IndexUnavailable, match="5 passages cannot be read now"):
        watched.passages(found.passages)
    with pytest.raises(IndexUnavailable, match="whether there is a document 'doc-1'"):
        watched.find("doc-1")
    with pytest.raises(IndexUnavailable, match="text cannot be read"):
        watched.text(int(found.documents[0]), 0, 10)
