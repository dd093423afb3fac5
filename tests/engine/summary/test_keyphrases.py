"""Keyphrases: what names a document, as it writes it, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InvalidQuery
from engine.snapshot import Snapshot
from engine.summary import keyphrases
from engine.summary.phrases import LONGEST, phrases
from indexer.analyser import Analyser
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.encoding import Vectors
from indexer.index import Index
from indexer.splitter import SplitterSettings

ANALYSER = Analyser()
FILLER = "People walk along the road and talk about the weather of the last summer. "
PAPER = (
    "Gradient Boosting fits trees one after another. We compare gradient boosting with random forests. "
    "Trees in gradient boosting are shallow. A random forest has deep trees. "
)
CHINESE = "机器学习研究如何让计算机学习。机器学习的方法很多。我们喜欢机器学习，也喜欢喝茶。"


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    made = Index.create(tmp_path_factory.mktemp("phrases") / "index", encoder=HashingEncoder(32))
    documents = [
        Document("paper", PAPER + FILLER, "On shallow learners"),
        Document("other", "Sailing boats cross the lake. Sailing boats need wind. " + FILLER),
        Document("zh", CHINESE),
        Document("empty", "", "Nothing here"),
        *[Document(f"filler{number}", FILLER * 3) for number in range(20)],
    ]
    with made.writer() as writer:
        for document in documents:
            writer.add(document)
    return Snapshot(made.reader())


def names(snapshot: Snapshot, *doc_ids: str, n: int = 8) -> list[str]:
    return [each.text for each in keyphrases(snapshot, doc_ids, n)]


def test_what_is_said_often_here_and_seldom_elsewhere_comes_first(snapshot: Snapshot) -> None:
    found = names(snapshot, "paper")
    assert "gradient boosting" in found[:3]
    assert "random forests" in found[:5] or "random forest" in found[:5]
    assert not {"people walk", "road", "summer"} & set(found[:3])


def test_a_phrase_stands_once_and_not_again_as_its_parts(snapshot: Snapshot) -> None:
    found = [each.casefold() for each in names(snapshot, "paper", n=50)]
    assert found.count("gradient boosting") == 1
    assert "boosting" not in found
    assert "gradient" not in found
    bags = [set(ANALYSER.terms(each)) for each in found]
    for place, bag in enumerate(bags):
        for other in bags[:place]:
            assert 2 * len(bag & other) <= min(len(bag), len(other))


def test_it_is_written_as_the_document_writes_it_and_counted(snapshot: Snapshot) -> None:
    found = {each.text: each for each in keyphrases(snapshot, ["paper"])}
    assert found["gradient boosting"].count == 3
    assert found["gradient boosting"].documents == 1
    text = PAPER + FILLER + "On shallow learners"
    assert all(each in text for each in found)


def test_words_of_chinese_are_named(snapshot: Snapshot) -> None:
    first = keyphrases(snapshot, ["zh"])[0]
    assert "学习" in first.text
    assert all(len(each.text) > 1 for each in keyphrases(snapshot, ["zh"]))


def test_several_documents_are_named_together(snapshot: Snapshot) -> None:
    found = keyphrases(snapshot, ["paper", "other", "gone", "paper"], 20)
    texts = [each.text.casefold() for each in found]
    assert "gradient boosting" in texts
    assert "sailing boats" in texts
    assert {each.documents for each in found} <= {1, 2}


def test_what_documents_share_names_them_before_what_one_of_them_says_more_often(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    made = Index.create(tmp_path_factory.mktemp("shared") / "index", encoder=HashingEncoder(32))
    with made.writer() as writer:
        for number, own in enumerate(("violins", "kettles", "glaciers")):
            writer.add(Document(str(number), f"{own}. {own}! {own}? Butterflies. {FILLER}"))
        for number in range(9):
            writer.add(Document(f"filler{number}", FILLER))
    found = names(Snapshot(made.reader()), "0", "1", "2")
    assert found[0].casefold() == "butterflies"
    assert {"violins", "kettles", "glaciers"} <= set(found)


def test_a_title_alone_names_too(snapshot: Snapshot) -> None:
    assert names(snapshot, "empty")


def test_more_is_the_continuation_of_fewer(snapshot: Snapshot) -> None:
    everything = keyphrases(snapshot, ["paper"], 20)
    for n in range(1, 20):
        assert keyphrases(snapshot, ["paper"], n) == everything[:n]
    scores = [each.score for each in everything]
    assert scores == sorted(scores, reverse=True)


def test_an_encoder_prefers_what_is_near_to_the_documents(snapshot: Snapshot) -> None:
    document = snapshot.reader.find("paper")
    assert document is not None
    own = snapshot.reader.vectors(snapshot.reader.passages_of(document.number)).sum(axis=0)
    own /= np.linalg.norm(own)

    def encode(texts: Sequence[str]) -> Vectors:
        return np.stack([own if "tree" in text.casefold() else -own for text in texts]).astype(np.float32)

    assert "tree" in keyphrases(snapshot, ["paper"], 1, encode=encode)[0].text.casefold()


@pytest.mark.parametrize("n", [0, 101, 1.0, True])
def test_a_number_that_cannot_be_used_is_refused(snapshot: Snapshot, n: object) -> None:
    with pytest.raises(InvalidQuery, match="from 1 to 100"):
        keyphrases(snapshot, ["paper"], n)  # type: ignore[arg-type]


def test_none_of_the_documents_is_an_error(snapshot: Snapshot) -> None:
    for doc_ids in (["gone"], []):
        with pytest.raises(InvalidQuery, match="none of the documents"):
            keyphrases(snapshot, doc_ids)


def test_passages_that_overlap_are_counted_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    text = " ".join(
        f"Sentence {'abcdefghij'[n]}{'klmnopqrst'[n]} mentions zebra crossings." for n in range(10)
    )
    folder = tmp_path_factory.mktemp("overlap") / "index"
    made = Index.create(folder, encoder=HashingEncoder(32), passages=SplitterSettings(tokens=16, overlap=8))
    with made.writer() as writer:
        writer.add(Document("one", text))
    reader = made.reader()
    assert sum(p.passage.end - p.passage.start for p in reader.passages(reader.passages_of(0))) > len(text)
    found = {each.text: each.count for each in keyphrases(Snapshot(reader), ["one"], 50)}
    assert max(found.values()) == 10


_pieces = st.sampled_from(
    [
        "turbine",
        "the",
        "blade",
        ". ",
        ", ",
        " ",
        "-",
        "\n",
        "\n\n",
        "3",
        "x",
        "学习",
        "机器",
        "的",
        "{mark}",
        "Zürich",
        "한국",
    ]
)


@given(st.lists(_pieces, max_size=40))
@settings(deadline=None, max_examples=150)
def test_phrases_are_runs_of_words_without_stopwords(pieces: list[str]) -> None:
    text = "".join(pieces)
    for phrase in phrases(ANALYSER, text):
        written = text[phrase.start : phrase.end]
        assert 1 <= len(phrase.terms) <= LONGEST
        assert len(written) > 1
        assert written == written.strip()
        assert not set(".,{}") & set(written)
        assert "\n\n" not in written
        assert not any(ANALYSER.is_stopword(term) for term in phrase.terms)
