"""Token vectors in an index: scores against plain MaxSim, and what commits, updates and compaction make of them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from indexer.document import Document
from indexer.encoder.hashing import HashingEncoder
from indexer.encoding import TokenVectors, Vectors
from indexer.errors import IndexCorrupt, InvalidSettings
from indexer.index import Index
from indexer.local import truth
from indexer.local.reader import LocalReader
from indexer.local.token_vectors import coding_of
from indexer.token_coding import TokenCoding
from small_corpus import make_document

COUNT = 60
DIM = 64


class PlainEncoder:
    """HashingEncoder as somebody else might have written it: vectors alone."""

    def __init__(self) -> None:
        self._inner = HashingEncoder(DIM)
        for name in ("name", "dim", "max_tokens", "overhead_tokens", "fingerprint"):
            setattr(self, name, getattr(self._inner, name))
        for name in ("encode_passages", "encode_query", "token_offsets", "readable"):
            setattr(self, name, getattr(self._inner, name))


class EnglishEncoder(HashingEncoder):
    """HashingEncoder that reads nothing but ASCII."""

    def readable(self, text: str) -> float:
        return sum(map(str.isascii, text)) / max(len(text), 1)


def filled(path: Path, numbers: Sequence[int] = range(COUNT), **choices: bool) -> Index:
    index = Index.create(path, encoder=HashingEncoder(DIM), **choices)
    with index.writer() as writer:
        for number in numbers:
            writer.add(make_document(number))
    return index


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return filled(tmp_path_factory.mktemp("tokens") / "index")


def everything(reader: LocalReader) -> np.ndarray:
    return np.concatenate([reader.passages_of(int(number)) for number in reader.live_documents()])


def by_name(index: Index, text: str = "harbour ember number7") -> dict[tuple[str, int], float]:
    """Return the late score of every passage, by a name that lasts."""
    reader = index.reader()
    tokens = HashingEncoder(DIM).encode_query_tokens(text)
    weights = np.arange(1, len(tokens.spans) + 1, dtype=np.float32)
    numbers = everything(reader)
    scores = reader.late_scores(tokens.vectors, weights, numbers)
    names = [(item.passage.doc_id, item.passage.ordinal) for item in reader.passages(numbers)]
    return dict(zip(names, scores.tolist(), strict=True))


def coding(index: Index) -> TokenCoding:
    with closing(truth.connect(index.truth_path())) as connection:
        found = coding_of(truth.read_meta(connection))
    assert found is not None
    return found


def test_scores_are_those_of_plain_maxsim_over_the_stored_tokens(index: Index) -> None:
    reader, rule = index.reader(), coding(index)
    tokens = HashingEncoder(DIM).encode_query_tokens("harbour ember number7 nowhere harbour")
    weights = np.array([1, 0.5, 3, 0, 2], dtype=np.float32)
    numbers = everything(reader)
    scores = reader.late_scores(tokens.vectors, weights, numbers)
    asked = tokens.vectors.astype(np.float64) @ rule.axes.T
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    with closing(truth.connect(index.truth_path())) as connection:
        stored = dict(connection.execute("SELECT passage, codes FROM token_vectors"))
    assert sorted(stored) == numbers.tolist()
    for number, score in zip(numbers.tolist(), scores.tolist(), strict=True):
        held = rule.decode(np.frombuffer(stored[number], np.uint8).reshape(-1, rule.token_bytes))
        best = (asked @ held.astype(np.float64).T).max(axis=1)
        assert score == pytest.approx((best * weights).sum() / weights.sum(), abs=2e-4)
    assert scores.dtype == np.float32


def test_what_has_the_words_scores_above_what_has_not(index: Index) -> None:
    encoder = HashingEncoder(DIM)
    word = encoder.encode_query_tokens("harbour").vectors[0]
    scores = by_name(index, "harbour")
    having, others = [], []
    for number in range(COUNT):
        document = make_document(number)
        tokens = encoder.encode_query_tokens(f"{document.title} {document.text}").vectors
        # Some other word may have the same place in the vector.
        (having if (tokens @ word).max() == 1 else others).append(scores[document.doc_id, 0])
    assert min(having) > 0.9
    assert max(others) < 0.3
    assert len(others) > 5


def test_any_order_and_any_company_give_the_same_bits(index: Index) -> None:
    reader = index.reader()
    tokens = HashingEncoder(DIM).encode_query_tokens("copper violet saddle").vectors
    weights = np.array([0.3, 1.7, 0.9], dtype=np.float32)
    numbers = everything(reader)
    scores = reader.late_scores(tokens, weights, numbers)
    mixed = np.random.default_rng(1).permutation(len(numbers))
    assert np.array_equal(reader.late_scores(tokens, weights, numbers[mixed]), scores[mixed])
    twice = reader.late_scores(tokens, weights, np.repeat(numbers[:5], 2))
    assert np.array_equal(twice, np.repeat(scores[:5], 2))
    for number, score in zip(numbers[:10], scores[:10], strict=True):
        assert reader.late_scores(tokens, weights, number[None])[0] == score


def test_an_index_grown_in_steps_is_the_one_made_at_once(index: Index, tmp_path: Path) -> None:
    grown = Index.create(tmp_path / "grown", encoder=HashingEncoder(DIM))
    for start in range(0, COUNT, 13):
        with grown.writer() as writer:
            for number in range(start, min(start + 13, COUNT)):
                writer.add(make_document(number, seed=1))  # to be replaced
                writer.commit()
                writer.add(make_document(number))
            writer.add(Document("gone", "soon forgotten"))
            writer.delete("gone")
    assert by_name(grown) == by_name(index)
    before = by_name(grown)
    assert grown.verify().sound
    grown.compact()
    assert by_name(grown) == before
    assert grown.verify().sound
    with closing(truth.connect(grown.truth_path())) as connection:
        assert connection.execute("SELECT count(*) FROM token_vectors").fetchone()[0] == len(before)


def test_an_older_reader_goes_on_seeing_what_it_saw(tmp_path: Path) -> None:
    index = filled(tmp_path / "index", range(5))
    reader, expected = index.reader(), by_name(index)
    with index.writer() as writer:
        writer.delete("doc-000")
        writer.add(make_document(1, seed=9))
    tokens = HashingEncoder(DIM).encode_query_tokens("harbour ember number7")
    scores = reader.late_scores(tokens.vectors, np.array([1, 2, 3], dtype=np.float32), everything(reader))
    assert scores.tolist() == list(expected.values())


def test_passages_that_did_not_change_keep_their_tokens_without_being_encoded(tmp_path: Path) -> None:
    class Counting(HashingEncoder):
        encoded = 0

        def encode_passages(self, texts: Sequence[str]) -> Vectors:
            self.encoded += len(texts)
            return super().encode_passages(texts)

    encoder = Counting(DIM)
    index = Index.create(tmp_path / "index", encoder=encoder)
    sections = [f"{'harbour lantern granite meadow thunder ' * 60}section{n}.\n\n" for n in range(4)]
    with index.writer() as writer:
        writer.add(Document("long", "".join(sections)))
    before, encoded = by_name(index), encoder.encoded
    with index.writer() as writer:
        writer.add(Document("long", "".join(sections) + "A new end about copper.\n"))
    after = by_name(index)
    assert encoder.encoded - encoded < len(after)  # some were not encoded again
    assert [after[name] for name in list(before)[:-1]] == list(before.values())[:-1]
    assert index.verify().sound


def test_punctuation_is_not_kept_and_a_passage_of_nothing_else_has_no_score(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", encoder=HashingEncoder(DIM))
    with index.writer() as writer:
        writer.add(Document("words", "harbour - lantern * granite"))
        writer.add(Document("none", "* * * - - -"))
    with closing(truth.connect(index.truth_path())) as connection:
        sizes = [
            row[0] for row in connection.execute("SELECT length(codes) FROM token_vectors ORDER BY passage")
        ]
    assert sizes == [3 * 32, 0]
    scores = by_name(index)
    assert np.isfinite(scores["words", 0])
    assert np.isnan(scores["none", 0])
    assert index.verify().sound


def test_a_passage_that_the_encoder_cannot_read_has_none(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", encoder=EnglishEncoder(DIM))
    with index.writer() as writer:
        writer.add(Document("english", "harbour lantern"))
        writer.add(Document("chinese", "港口的灯笼在夜里亮着"))
    scores = by_name(index)
    assert np.isfinite(scores["english", 0])
    assert np.isnan(scores["chinese", 0])
    assert index.verify().sound


def test_weights_of_nought_count_all_tokens_alike_and_no_tokens_give_no_score(index: Index) -> None:
    reader = index.reader()
    tokens = HashingEncoder(DIM).encode_query_tokens("violet saddle").vectors
    numbers = everything(reader)
    even = reader.late_scores(tokens, np.ones(2, dtype=np.float32), numbers)
    assert np.array_equal(reader.late_scores(tokens, np.zeros(2, dtype=np.float32), numbers), even)
    none = reader.late_scores(np.zeros((0, DIM), np.float32), np.zeros(0, np.float32), numbers)
    assert none.shape == numbers.shape
    assert np.isnan(none).all()
    assert reader.late_scores(tokens, np.ones(2, np.float32), numbers[:0]).shape == (0,)


@pytest.mark.parametrize(
    ("width", "weights"),
    [
        (DIM + 1, [1.0, 1.0]),
        (DIM, [1.0]),
        (DIM, [1.0, -0.1]),
        (DIM, [1.0, float("nan")]),
        (DIM, [1.0, float("inf")]),
    ],
)
def test_what_does_not_fit_is_refused(index: Index, width: int, weights: list[float]) -> None:
    with pytest.raises(InvalidSettings, match="weights of 0 or more"):
        index.reader().late_scores(
            np.ones((2, width), np.float32), np.array(weights, np.float32), np.zeros(1, np.int64)
        )


def test_without_token_vectors_every_score_is_missing(tmp_path: Path) -> None:
    index = filled(tmp_path / "index", range(4), token_vectors=False)
    assert not index.keeps_token_vectors
    assert not index.reader().has_token_vectors
    assert all(np.isnan(score) for score in by_name(index).values())
    assert index.stats().token_vectors is None
    assert index.verify().sound


def test_an_encoder_without_tokens_makes_an_index_without(tmp_path: Path) -> None:
    index = Index.create(tmp_path / "index", encoder=PlainEncoder())  # type: ignore[arg-type]
    with index.writer() as writer:
        writer.add(make_document(1))
    assert not index.keeps_token_vectors
    assert index.verify().sound


def test_an_encoder_without_tokens_cannot_go_on_with_an_index_that_keeps_them(tmp_path: Path) -> None:
    filled(tmp_path / "index", range(3)).close()
    index = Index.open(tmp_path / "index", encoder=PlainEncoder())  # type: ignore[arg-type]
    assert index.reader().has_token_vectors  # reading needs no encoder
    with pytest.raises(InvalidSettings, match="token_vectors=False"):
        index.writer()
    with Index.open(
        tmp_path / "index", encoder=HashingEncoder(DIM)
    ).writer() as writer:  # the lock was let go
        writer.add(make_document(3))


def test_an_index_made_before_there_were_token_vectors_works_on(tmp_path: Path) -> None:
    index = filled(tmp_path / "index", range(6), token_vectors=False)
    expected = list(by_name(index))
    index.close()
    with closing(sqlite3.connect(index.truth_path())) as connection:
        connection.execute("DROP TABLE token_vectors")
    index = Index.open(tmp_path / "index", encoder=HashingEncoder(DIM))
    with index.writer() as writer:
        writer.add(make_document(6))
        writer.add(make_document(2, seed=4))
        writer.delete("doc-000")
    assert not index.reader().has_token_vectors
    assert index.verify().sound
    index.compact()
    assert index.verify().sound
    assert index.stats().token_vectors is None
    assert len(by_name(index)) == len(expected)


def test_stats_count_passages_and_bytes(index: Index) -> None:
    stats = index.stats()
    assert stats.token_vectors == COUNT
    words = sum(len(make_document(n).text.split()) + 1 for n in range(COUNT))  # one more for the title
    assert stats.token_megabytes == round(words * 32 / 1e6, 1)
    json.dumps(stats.token_megabytes)


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("DELETE FROM token_vectors WHERE passage = 1", "1 passages have a vector and no tokens"),
        ("INSERT INTO token_vectors VALUES (999, 0, x'')", "1 passages have tokens and no vector"),
        (
            "UPDATE token_vectors SET codes = zeroblob(32) WHERE passage = 2",
            "tokens of passage 2 are not what",
        ),
        (
            "UPDATE token_vectors SET codes = x'00', crc = 3523407757 WHERE passage = 2",
            "not of 32 bytes each",
        ),
    ],
)
def test_verify_finds_damage(tmp_path: Path, damage: str, says: str) -> None:
    index = filled(tmp_path / "index", range(4))
    path = index.truth_path()
    index.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(damage)
    report = Index.open(tmp_path / "index", encoder=HashingEncoder(DIM)).verify()
    assert [says in problem.found for problem in report.problems] == [True]
    assert not report.problems[0].repairable


def test_a_row_cut_short_is_refused_when_it_is_read(tmp_path: Path) -> None:
    index = filled(tmp_path / "index", range(2))
    path = index.truth_path()
    index.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE token_vectors SET codes = x'00' WHERE passage = 0")
    with pytest.raises(IndexCorrupt, match="run `quire verify`"):
        by_name(Index.open(tmp_path / "index", encoder=HashingEncoder(DIM)))


def test_few_uncoded_tokens_are_in_memory_at_a_time(tmp_path: Path) -> None:
    class Watching(HashingEncoder):
        most = 0

        def encode_passages_with_tokens(self, texts: Sequence[str]) -> tuple[Vectors, list[TokenVectors]]:
            self.most = max(self.most, len(texts))
            return super().encode_passages_with_tokens(texts)

    encoder = Watching(DIM)
    index = Index.create(tmp_path / "index", encoder=encoder)
    encoder.most = 0
    with index.writer() as writer:
        for number in range(300):
            writer.add(make_document(number, words=5))
    assert 0 < encoder.most <= 64
    assert index.reader().passage_count == 300
