"""Bad input and failing parts: an answer with a notice where one is possible, a clear error where not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import IndexOpenError, InvalidQuery, NoSuchIndex, SearchEngine, SearchError
from engine.clock import Clock
from engine.errors import BackendUnavailable, SearchCancelled
from engine.plan import MAX_CLAUSES
from indexer.document import Document
from indexer.encoder import HashingEncoder
from indexer.encoding import Vectors
from indexer.errors import IndexChanged
from indexer.index import Index
from indexer.local.reader import LocalReader
from indexer.protocol import Numbers, StoredDocument, StoredPassage

from .conftest import ENCODER, FIRST, WORDS, documents, fill, first_stage


class FailingEncoder(HashingEncoder):
    """Breaks on queries in the way it is told to."""

    def __init__(self, how: str) -> None:
        super().__init__(ENCODER.dim)
        self.how = how

    def encode_query(self, text: str) -> Vectors:
        if self.how == "raises":
            raise RuntimeError("out of memory\nand more")
        if self.how == "shape":
            return np.zeros(3, dtype=np.float32)
        if self.how == "nan":
            return np.full(self.dim, np.nan, dtype=np.float32)
        return super().encode_query(text)

    def readable(self, text: str) -> float:
        if self.how == "english":
            letters = [character for character in text if character.isalpha()]
            return sum(character.isascii() for character in letters) / max(len(letters), 1)
        return 1.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("   \n\t ", "empty"),
        ("!!! ... ???", "no letters or digits"),
        ("\x00", "no letters or digits"),
        ("-turbine", "leave out"),
        ("lang:en", "only has conditions"),
        ('""', "no letters or digits"),
    ],
)
def test_a_query_with_nothing_to_look_for(search_engine: SearchEngine, text: str, told: str) -> None:
    ranking = search_engine.search(text)
    assert ranking.hits == ()
    assert ranking.cursor is None
    assert len(ranking.notices) == 1
    assert told in ranking.notices[0]


@pytest.mark.parametrize(
    "text",
    [
        "the of and",
        "turbine 🚀",
        "مرحبا بالعالم turbine",
        "שלום turbine",
        "tur\x00bine \ud800 blade",
        "\udfff turbine",
        "turbine\u202e\u200f",
        "a" * 5000,
        "🚀" * 300 + " turbine",
    ],
)
def test_odd_text_is_searched(search_engine: SearchEngine, text: str) -> None:
    assert len(search_engine.search(text, k=5).hits) == 5


def test_only_function_words_are_searched_as_they_are(make_index: Callable[..., Index]) -> None:
    index = make_index(Document("hamlet", "To be or not to be."), Document("other", "Flow over a wing."))
    ranking = SearchEngine(index, ENCODER, FIRST).search("to be", settings=first_stage(alpha=0))
    assert [hit.doc_id for hit in ranking.hits] == ["hamlet"]


@given(st.text(max_size=80) | st.text(alphabet='+-":().<>=, turbineblade\x00\ud800', max_size=80))
@settings(deadline=None, max_examples=150)
def test_no_text_breaks_a_search(search_engine: SearchEngine, text: str) -> None:
    ranking = search_engine.search(text, k=3)
    assert len(ranking.hits) <= 3
    assert ranking.hits or ranking.notices
    assert search_engine.why_not(text, "d01", k=1).sentences


def test_a_query_of_100_kilobytes(search_engine: SearchEngine) -> None:
    text = " ".join(f"w{n} {WORDS[n % len(WORDS)]}" for n in range(9000))
    assert len(text) > 100_000
    ranking = search_engine.search(text, k=5)
    assert len(ranking.hits) == 5
    assert any("characters" in notice for notice in ranking.notices)
    assert any(f"{MAX_CLAUSES} most informative" in notice for notice in ranking.notices)
    assert all(hit.ledger.bm25 for hit in ranking.hits)  # the known words stayed, the unknown ones went


def test_a_query_of_operators_only_is_bounded(search_engine: SearchEngine) -> None:
    ranking = search_engine.search("+turbine " * 5000)
    assert ranking.hits
    assert any("operators" in notice for notice in ranking.notices)


def test_an_unknown_filter_field_is_refused_with_the_nearest(search_engine: SearchEngine) -> None:
    with pytest.raises(InvalidQuery, match="'yaer'") as caught:
        search_engine.search("turbine", filters={"yaer": 2000})
    assert caught.value.suggestion == "year"


def test_a_filter_of_the_wrong_type_is_refused(search_engine: SearchEngine) -> None:
    with pytest.raises(InvalidQuery, match="year"):
        search_engine.search("turbine", filters={"year": "soon"})


def test_an_unknown_facet_is_refused(search_engine: SearchEngine) -> None:
    with pytest.raises(InvalidQuery, match="'lagn'"):
        search_engine.search("turbine", settings=first_stage(facets=("lagn",)))


@pytest.mark.parametrize("k", [-1, 2.5, "ten"])
def test_an_impossible_k(search_engine: SearchEngine, k: int) -> None:
    with pytest.raises(InvalidQuery):
        search_engine.search("turbine", k=k)
    with pytest.raises(InvalidQuery):
        search_engine.why_not("turbine", "d01", k=k)


def test_an_index_of_nothing(make_index: Callable[..., Index]) -> None:
    engine = SearchEngine(make_index(), ENCODER, FIRST)
    for text in ("turbine", "+turbine", '"a b"', "", "title:x"):
        assert engine.search(text).hits == ()
    assert engine.why_not("turbine", "d01").stage == "not indexed"


def test_an_index_of_one_document(make_index: Callable[..., Index]) -> None:
    engine = SearchEngine(make_index(Document("one", "Turbine.")), ENCODER, FIRST)
    assert [hit.doc_id for hit in engine.search("turbine").hits] == ["one"]
    assert [hit.doc_id for hit in engine.search("something else").hits] == ["one"]
    assert engine.search("else", settings=first_stage(alpha=0)).hits == ()


def test_documents_without_words(make_index: Callable[..., Index]) -> None:
    engine = SearchEngine(
        make_index(Document("none", ""), Document("signs", "?! --"), Document("title", "", "Turbine")),
        ENCODER,
        FIRST,
    )
    ranking = engine.search("turbine")
    assert ranking.hits[0].doc_id == "title"
    assert ranking.hits[0].passages[0].snippet.text == ""


@pytest.mark.parametrize("how", ["raises", "shape", "nan"])
def test_a_failing_encoder_leaves_words(index: Index, search_engine: SearchEngine, how: str) -> None:
    ranking = SearchEngine(index, FailingEncoder(how), FIRST).search(ASKED, k=5)
    words = search_engine.search(ASKED, k=5, settings=first_stage(alpha=0))
    assert [(hit.doc_id, hit.score) for hit in ranking.hits] == [
        (hit.doc_id, hit.score) for hit in words.hits
    ]
    assert len(ranking.notices) == 1
    assert "encoder failed" in ranking.notices[0]
    assert "\n" not in ranking.notices[0]


def test_an_encoder_that_cannot_be_loaded_leaves_words(
    tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    engine = SearchEngine.open(index.path, settings=FIRST)
    ranking = engine.search("turbine")
    assert ranking.hits
    assert "encoder failed" in ranking.notices[0]
    assert "hashing" in ranking.notices[0]
    engine.close()


def test_a_script_the_encoder_cannot_read(make_index: Callable[..., Index]) -> None:
    index = make_index(Document("zh", "我们研究机器学习的方法。"), Document("en", "We study flow."))
    engine = SearchEngine(index, FailingEncoder("english"), FIRST)
    ranking = engine.search("机器学习")
    assert [hit.doc_id for hit in ranking.hits] == ["zh"]
    assert "cannot read" in ranking.notices[0]
    mixed = engine.search("flow 机器学习")
    assert {hit.doc_id for hit in mixed.hits} == {"zh", "en"}
    assert mixed.hits[0].ledger.alpha == pytest.approx(first_stage().alpha * 4 / 8)


def test_another_encoder_is_refused(index: Index) -> None:
    engine = SearchEngine(index, HashingEncoder(ENCODER.dim + 1))
    with pytest.raises(IndexOpenError, match=r"hashing:32.*hashing:33"):
        engine.search("turbine")
    with pytest.raises(IndexOpenError, match="hashing:33"):
        SearchEngine.open(index.path, encoder=HashingEncoder(33))


def test_no_index_at_the_path(tmp_path: Path) -> None:
    with pytest.raises(NoSuchIndex):
        SearchEngine.open(tmp_path / "nothing")


def test_a_closed_engine_says_so(index: Index) -> None:
    with SearchEngine.open(index.path, encoder=ENCODER, settings=FIRST) as engine:
        assert engine.search("turbine").hits
    engine.close()
    with pytest.raises(SearchError, match="closed"):
        engine.search("turbine")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("turbnie", "turbine"), ("+turbnie", "+turbine"), ('"boundray layer"', '"boundary layer"')],
)
def test_a_misspelt_query_is_corrected_when_nothing_matches(
    search_engine: SearchEngine, typed: str, meant: str
) -> None:
    ranking = search_engine.search(typed, k=5)
    assert meant in ranking.suggestions
    assert any(meant in notice for notice in ranking.notices)
    corrected = search_engine.search(meant, k=5)
    assert [(hit.doc_id, hit.score) for hit in ranking.hits] == [
        (hit.doc_id, hit.score) for hit in corrected.hits
    ]


def test_a_misspelt_word_beside_known_ones_is_only_suggested(search_engine: SearchEngine) -> None:
    ranking = search_engine.search("turbine vortxe", k=5)
    assert ranking.suggestions == ("turbine vortex",)
    assert ranking.notices == ()


def test_what_is_excluded_is_not_corrected(search_engine: SearchEngine) -> None:
    assert search_engine.search("turbine -vortxe", k=5).suggestions == ()


def test_refresh_picks_up_a_new_generation(make_index: Callable[..., Index]) -> None:
    index = make_index(Document("one", "Turbine."))
    engine = SearchEngine(index, ENCODER, FIRST)
    first = engine.search("turbine")
    fill(index, [Document("two", "Turbine too.")])
    assert engine.search("turbine") == first
    assert engine.refresh()
    assert not engine.refresh()
    second = engine.search("turbine")
    assert {hit.doc_id for hit in second.hits} == {"one", "two"}
    assert second.generation > first.generation


ASKED = " ".join(WORDS[:2])


class Going(LocalReader):
    """A reader whose generation is gone after so many answers, and that lacks something until then."""

    left: ClassVar[int] = 0

    def passages(self, numbers: Sequence[int] | Numbers) -> list[StoredPassage]:
        self._answer()
        return super().passages(numbers)

    def documents(self, numbers: Sequence[int] | Numbers) -> list[StoredDocument]:
        self._answer()
        return super().documents(numbers)

    def doc_ids(self, documents: Numbers) -> list[str]:
        self._answer()
        return super().doc_ids(documents)

    def _answer(self) -> None:
        if Going.left == 0:
            raise IndexChanged("this generation is gone")
        Going.left -= 1

    def watched(self, tell: Callable[[str], None]) -> Going:
        tell("1 of 3 shards did not answer: results may be missing.")
        tell("1 of 3 shards did not answer: results may be missing.")
        return self


class Changing:
    """An index whose next reader is a new one."""

    def __init__(self, index: Index, taken: list[LocalReader]) -> None:
        self.index, self.taken = index, taken

    def reader(self) -> LocalReader:
        return self.taken.pop(0)


@pytest.mark.parametrize("answers", [0, 1, 2])
def test_a_generation_that_is_gone_is_asked_again_as_the_newest(
    make_index: Callable[..., Index], answers: int
) -> None:
    index = make_index(*documents(20))
    expected = SearchEngine(index, ENCODER, FIRST).search(ASKED)
    old = Index.open(index.path, encoder=ENCODER).reader()
    old.__class__ = Going
    Going.left = answers
    engine = SearchEngine(Changing(index, [old, index.reader()]), ENCODER, FIRST)
    ranking = engine.search(ASKED)
    assert ranking.to_json()["hits"] == expected.to_json()["hits"]
    assert not ranking.notices
    Going.left = 0
    engine = SearchEngine(Changing(index, [old, old]), ENCODER, FIRST)
    with pytest.raises(BackendUnavailable, match="gone"):  # not for ever
        engine.search(ASKED)


def test_what_an_answer_lacks_is_said_once(make_index: Callable[..., Index]) -> None:
    index = make_index(*documents(20))
    reader = index.reader()
    reader.__class__ = Going
    Going.left = 1000
    ranking = SearchEngine(Changing(index, [reader]), ENCODER, FIRST).search(ASKED, k=3)
    assert ranking.notices == ("1 of 3 shards did not answer: results may be missing.",)


def test_threads_share_an_engine_while_the_index_changes(make_index: Callable[..., Index]) -> None:
    index = make_index(*documents(20))
    engine = SearchEngine(index, ENCODER, FIRST)
    stop = threading.Event()

    def ask(text: str) -> None:
        while not stop.is_set():
            ranking = engine.search(text, k=50)
            # Every commit adds two documents, so a mixture of generations would show an odd count.
            assert len(ranking.hits) % 2 == 0
            assert engine.why_not(text, "d01", k=50).stage == "found"

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask, text) for text in ("turbine", "blade lang:en", "+cooling", "shock wave")]
        asking.pop(1).cancel()
        asking.pop(1).cancel()
        for n in range(4):
            fill(index, [Document(f"n{n}", "Turbine shock."), Document(f"m{n}", "Turbine wave.")])
            engine.refresh()
        stop.set()
        for one in asking:
            one.result()


def test_threads_get_the_answers_of_one(search_engine: SearchEngine) -> None:
    texts = [" ".join(WORDS[n : n + 3]) for n in range(20)]
    expected = [search_engine.search(text, k=10) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: search_engine.search(text, k=10), texts)) == expected


def test_async_searches_agree(search_engine: SearchEngine) -> None:
    async def ask() -> None:
        texts = ["turbine", "shock wave", "lang:en blade"]
        answers = await asyncio.gather(*(search_engine.asearch(text, k=4) for text in texts))
        assert answers == [search_engine.search(text, k=4) for text in texts]
        with pytest.raises(InvalidQuery):
            await search_engine.asearch("turbine", k=-1)

    asyncio.run(ask())


def test_a_cancelled_search_ends_between_stages(index: Index) -> None:
    reached, go_on, later = threading.Event(), threading.Event(), []

    class Waiting(HashingEncoder):
        def encode_query(self, text: str) -> Vectors:
            reached.set()
            go_on.wait(10)
            return super().encode_query(text)

    engine = SearchEngine(index, Waiting(ENCODER.dim), FIRST)
    original = Clock.step

    async def ask() -> None:
        task = asyncio.create_task(engine.asearch("turbine"))
        await asyncio.to_thread(reached.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()

    def watched(self: Clock, name: str) -> None:
        later.append(name)
        original(self, name)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Clock, "step", watched)
        asyncio.run(ask())
    assert later[-1] == "encode"


def test_a_cancelled_clock_raises() -> None:
    with pytest.raises(SearchCancelled, match="'plan'"):
        Clock(cancelled=lambda: True).step("plan")
