"""Summaries of documents in a real index: exact offsets, the budget, what they are for, and what goes wrong."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidQuery
from engine.snapshot import Snapshot
from engine.summary import Summariser, Summary
from engine.summary.candidates import sentences_of
from indexer.document import Block, Document
from indexer.encoder import HashingEncoder
from indexer.encoding import Vectors
from indexer.errors import FingerprintMismatch
from indexer.index import Index
from indexer.splitter import SplitterSettings

ENCODER = HashingEncoder(32)
TOPICS = {
    "kettle": "The kettle boils water for tea in the small kitchen every morning",
    "glacier": "A glacier carves deep valleys while the ice moves down the mountain",
    "violin": "She plays the violin in an orchestra and practises long sonatas",
}


class Counting(HashingEncoder):
    """Remembers how many sentences it was given."""

    def __init__(self) -> None:
        super().__init__(32)
        self.given = 0

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.given += len(texts)
        return super().encode_passages(texts)


class Broken(HashingEncoder):
    """Cannot encode sentences."""

    def __init__(self) -> None:
        super().__init__(32)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        raise MemoryError("no room for the batch")


def long_text(sentences: int = 60) -> str:
    chance = random.Random(3)
    made = []
    for _ in range(sentences):
        words = " ".join(
            chance.choices(" ".join(TOPICS.values()).casefold().split(), k=chance.randint(4, 14))
        )
        made.append(words.capitalize() + chance.choice([".", "!", "?", ".\n\n"]))
    return " ".join(made)


def summary(index: Index, doc_id: str, **asked: object) -> Summary:
    return Summariser(lambda: ENCODER).summarise(Snapshot(index.reader()), doc_id, **asked)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Index:
    made = Index.create(
        tmp_path_factory.mktemp("summaries") / "index",
        encoder=ENCODER,
        passages=SplitterSettings(tokens=16, overlap=0),
    )
    documents = [
        Document("long", long_text(), "A long one"),
        Document("three", ". ".join(TOPICS.values()) + "."),
        Document("one", "The only sentence of this document says rather little about anything at all."),
        Document("short", "Yes. No."),
        Document("empty", "", "Only a title"),
        Document("endless", "word " * 500),
        Document(
            "zh",
            "水壶每天早上在小厨房里烧开水，准备泡茶给全家人喝。冰川沿着高山缓慢移动，刻出深深的山谷。她在乐团里拉小提琴，每天都要练习很长的奏鸣曲。"
            * 3,
        ),
    ]
    with made.writer() as writer:
        for document in documents:
            writer.add(document)
    return made


@given(
    length=st.integers(20, 1500),
    query=st.sampled_from(["", "violin", "glacier +ice -tea", "nothing like it"]),
)
@settings(deadline=None, max_examples=40)
def test_sentences_are_the_documents_own_in_order_and_within_the_length(
    filled: Index, length: int, query: str
) -> None:
    text = long_text()
    made = summary(filled, "long", length=length, query=query)
    assert made.sentences
    assert sum(len(each.text) for each in made.sentences) + len(made.sentences) - 1 <= length
    end = -1
    for each in made.sentences:
        assert text[each.start : each.end] == each.text
        assert each.start > end
        end = each.end
        for low, high in each.highlights:
            assert each.start <= low < high <= each.end
    assert sorted(each.taken for each in made.sentences) == list(range(1, len(made.sentences) + 1))
    assert made == summary(filled, "long", length=length, query=query)


def test_a_query_is_answered_with_the_sentence_that_answers_it(filled: Index) -> None:
    for word, sentence in TOPICS.items():
        made = summary(filled, "three", query=word, sentences=1)
        assert [each.text.rstrip(".") for each in made.sentences] == [sentence]
        assert [each.casefold() for each in made.sentences[0].words] == [word]
        assert word in made.sentences[0].why


def test_it_leans_to_the_interest_of_a_reader_that_is_nearest_to_the_document(filled: Index) -> None:
    interest = ENCODER.encode_query(TOPICS["glacier"])
    elsewhere = -ENCODER.encode_query(TOPICS["violin"])
    leaning = summary(
        filled, "three", sentences=1, tilt=np.stack([elsewhere, np.zeros(32, np.float32), interest])
    )
    assert leaning.tilted
    assert leaning.text.startswith("A glacier")
    plain = summary(filled, "three", sentences=1)
    assert not plain.tilted
    assert summary(filled, "three", sentences=1, tilt=np.zeros((2, 32), np.float32)) == plain
    assert summary(filled, "three", sentences=1, tilt=np.zeros((0, 32), np.float32)) == plain
    assert summary(filled, "three", sentences=1, tilt=np.zeros((0, 0), np.float32)) == plain


def test_fewer_sentences_are_some_of_more(filled: Index) -> None:
    taken = [
        [each.start for each in sorted(made.sentences, key=lambda each: each.taken)]
        for made in (summary(filled, "three", sentences=count) for count in (1, 2, 3))
    ]
    assert taken[1][:1] == taken[0]
    assert taken[2][:2] == taken[1]


def test_everything_covers_the_document_and_says_so(filled: Index) -> None:
    whole, part = summary(filled, "three"), summary(filled, "three", sentences=1)
    assert whole.coverage is not None
    assert part.coverage is not None
    assert part.coverage < whole.coverage
    assert whole.coverage == pytest.approx(1.0, abs=0.05)
    assert whole.text == ". ".join(TOPICS.values()) + "."


def test_documents_of_one_sentence_short_ones_and_none(filled: Index) -> None:
    assert summary(filled, "one").text.startswith("The only sentence")
    assert summary(filled, "short").text == "Yes. No."
    nothing = summary(filled, "empty")
    assert nothing.sentences == ()
    assert "no text" in nothing.notices[0]


def test_of_a_sentence_longer_than_the_length_a_part_is_shown(filled: Index) -> None:
    made = summary(filled, "endless", length=50)
    (only,) = made.sentences
    assert not only.whole
    assert 20 <= len(only.text) <= 50
    assert ("word " * 500)[only.start : only.end] == only.text


def test_chinese_sentences_are_joined_without_spaces(filled: Index) -> None:
    made = summary(filled, "zh", length=80, query="小提琴")
    assert "小提琴" in made.text
    assert " " not in made.text
    assert len(made.sentences) >= 2
    assert "拉小提琴" not in made.sentences[0].words
    assert any("小提琴" in each.words for each in made.sentences)
    # Each sentence stands three times in the text, and once in the summary.
    assert len({each.text for each in made.sentences}) == len(made.sentences)


def test_a_document_without_vectors_is_summarised_by_words_or_by_its_beginning(
    filled: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = filled.reader()
    monkeypatch.setattr(
        type(reader), "vectors", lambda self, numbers: np.zeros((len(numbers), 32), np.float32)
    )
    snapshot, summariser = Snapshot(reader), Summariser(lambda: ENCODER)
    made = summariser.summarise(snapshot, "long", length=100)
    assert made.coverage is None
    assert made.sentences[0].start == 0
    assert "how it begins" in made.notices[0]
    by_words = summariser.summarise(snapshot, "three", query="violin", sentences=1)
    assert "violin" in by_words.text
    assert "words alone" in by_words.notices[0]


def test_an_encoder_that_fails_leaves_words_and_order(filled: Index) -> None:
    snapshot = Snapshot(filled.reader())
    made = Summariser(Broken).summarise(snapshot, "three", query="violin", sentences=1)
    assert "violin" in made.text
    assert "no room for the batch" in made.notices[0]
    assert made.coverage is None
    assert made.sentences[0].closeness is None

    def missing() -> HashingEncoder:
        raise OSError("the model is gone")

    gone = Summariser(missing)
    assert gone.summarise(snapshot, "three", sentences=1).text.startswith("The kettle")
    assert gone.keyphrases(snapshot, ["three"])


def test_another_encoder_is_refused(filled: Index) -> None:
    other = Summariser(lambda: HashingEncoder(32 + 1))
    with pytest.raises(FingerprintMismatch):
        other.summarise(Snapshot(filled.reader()), "three")
    with pytest.raises(FingerprintMismatch):
        other.keyphrases(Snapshot(filled.reader()), ["three"])


def test_a_long_document_costs_no_more_than_its_best_passages(make_index: Callable[..., Index]) -> None:
    index = make_index(Document("long", long_text(600)))
    encoder = Counting()
    snapshot = Snapshot(index.reader())
    made = Summariser(lambda: encoder).summarise(snapshot, "long", length=300)
    assert made.sentences
    assert len(snapshot.reader.passages_of(0)) > 150
    # Eight times the characters of the summary, and at most one passage more; a sentence has 40 or more.
    assert 0 < encoder.given <= 9 * 300 / 40 + 8


def test_headings_rows_and_code_are_left_out_unless_there_is_nothing_else(
    make_index: Callable[..., Index],
) -> None:
    heading, prose, code = (
        "The heading of it",
        "A sentence that is long enough to be taken by itself.",
        "x = 1",
    )
    text = f"{heading}\n\n{prose}\n\n{code}\n"
    at = text.index(code)
    blocks = (
        Block("heading", 0, len(heading), 1),
        Block("paragraph", text.index(prose), text.index(prose) + len(prose)),
        Block("code", at, at + len(code)),
    )
    index = make_index(
        Document("mixed", text, blocks=blocks), Document("code", "    x = 1\n    y = 2\n    print(x + y)\n")
    )
    assert summary(index, "mixed").text == prose
    reader = index.reader()
    document = reader.find("code")
    assert document is not None
    found = sentences_of(reader, document, reader.passages(reader.passages_of(document.number)))
    assert found
    assert summary(index, "code").sentences


@pytest.mark.parametrize(
    "asked",
    [
        {"length": 19},
        {"length": 100_001},
        {"length": 600.0},
        {"length": True},
        {"sentences": 0},
        {"sentences": 1.5},
        {"tilt": np.zeros(32, np.float32)},
        {"tilt": np.zeros((1, 31), np.float32)},
        {"tilt": np.full((1, 32), np.nan, np.float32)},
    ],
)
def test_what_cannot_be_used_is_refused(filled: Index, asked: dict[str, object]) -> None:
    with pytest.raises(InvalidQuery):
        summary(filled, "three", **asked)


def test_an_unknown_document_is_named(filled: Index) -> None:
    with pytest.raises(InvalidQuery, match="no document 'who'"):
        summary(filled, "who")


def test_it_is_json_that_holds_all(filled: Index) -> None:
    values = summary(filled, "three", query="violin").to_json()
    assert values["doc_id"] == "three"
    assert values["query"] == "violin"
    assert isinstance(values["sentences"], list)
    assert {"text", "start", "end", "why", "highlights"} <= set(values["sentences"][0])


def test_a_document_of_many_small_passages(index: Index) -> None:
    made = summary(index, "d05", length=120)
    stored = index.reader().find("d05")
    assert stored is not None
    for each in made.sentences:
        assert index.reader().text(stored.number, each.start, each.end) == each.text
