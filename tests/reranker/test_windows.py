"""Windows against the tokenizer's own pairs, and against what they promise, for any lengths."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.encoder.tokens import Tokens
from reranker.errors import RerankerModelError
from reranker.pairs import PassageText
from reranker.windows import OVERLAP, Framing

TEXTS = st.text(alphabet="abc the \n.é猫\x00\ud800", max_size=40)


@pytest.fixture
def tokens(tiny: Any) -> Tokens:
    made = tiny.small_tokenizer()
    made.no_truncation()
    made.no_padding()
    return Tokens(made, 64)


@given(query=TEXTS, text=TEXTS, title=TEXTS)
def test_a_pair_that_fits_is_what_the_tokenizer_makes_of_it(
    tokens: Tokens, query: str, text: str, title: str
) -> None:
    passage = PassageText(text, title)
    framing = Framing(tokens, 500)
    (reading,) = framing.passages(framing.query(query), [passage])
    clean = [part.replace("\ud800", "\ufffd").replace("\x00", "\ufffd") for part in (query, passage.full)]
    expected = tokens._tokenizer.encode(*clean)
    (window,) = reading.windows
    assert window.ids == expected.ids
    assert [int(place >= window.second) for place in range(len(window.ids))] == expected.type_ids
    assert (reading.cut, window.unread) == (0, 0)


@settings(max_examples=200)
@given(
    size=st.integers(19, 80),
    query=st.integers(0, 90),
    title=st.integers(0, 60),
    text=st.integers(0, 300),
)
def test_windows_hold_every_token_of_a_passage(
    tokens: Tokens, size: int, query: int, title: int, text: int
) -> None:
    framing = Framing(tokens, size)
    words = {"q": query, "t": title, "p": text}
    asked, told, body = (" ".join([letter] * count) for letter, count in words.items())
    body = " ".join("abcdefghij"[place % 10] for place in range(text))
    (reading,) = framing.passages(framing.query(asked), [PassageText(body, told)])
    q, t = (tokens._tokenizer.token_to_id(letter) for letter in "qt")
    whole = tokens.bodies([body])[0]
    counts = {(window.ids.count(q), window.ids.count(t)) for window in reading.windows}
    assert len(counts) == 1  # the same query and context before each
    kept_query, kept_context = counts.pop()
    assert reading.cut == query - kept_query + title - kept_context
    assert all(len(window.ids) <= size for window in reading.windows)
    room = size - 3
    assert kept_query >= min(query, room // 3)
    assert kept_context >= min(title, room // 4)
    if query + title + text <= room:
        assert reading.cut == 0
        assert len(reading.windows) == 1
    elif reading.cut:  # then no place is left empty
        assert len(reading.windows[0].ids) == size
    end = 0
    share = room - kept_query - kept_context
    for number, window in enumerate(reading.windows):
        start = len(whole) - window.unread - share if len(reading.windows) > 1 else 0
        part = window.ids[3 - 1 + kept_query + kept_context : -1]
        assert part == whole[start : start + share]
        assert start <= end - min(OVERLAP, share // 4) or number == 0  # each overlaps the one before
        end = start + len(part)
    assert end == len(whole)
    assert reading.windows[-1].unread == 0


def test_a_long_passage_is_tokenised_in_pieces_without_losing_a_token(tokens: Tokens) -> None:
    framing = Framing(tokens, 64)
    text = "the cat sat on the mat . " * 4_000
    (reading,) = framing.passages(framing.query("cat"), [PassageText(text)])
    room = 64 - 3 - 1
    assert len(reading.windows) == 1 + -(-(28_000 - room) // (room - 15))
    assert reading.windows[-1].unread == 0


def test_a_window_without_room_for_a_passage_is_refused(tokens: Tokens) -> None:
    with pytest.raises(RerankerModelError, match="reads 18 tokens at a time, of which 3 are its own"):
        Framing(tokens, 18)


def test_two_equal_contexts_are_tokenised_once(tokens: Tokens, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    original: Callable[[Any], Any] = tokens.bodies
    monkeypatch.setattr(tokens, "bodies", lambda texts: seen.extend(texts) or original(texts))
    framing = Framing(tokens, 64)
    framing.passages([], [PassageText("a", "t"), PassageText("b", "t"), PassageText("c")])
    assert seen == ["t\n", "a", "b", "c"]


def test_a_tokenizer_of_one_type_marks_no_second_part(tiny: Any, tmp_path: Path) -> None:
    from tokenizers.processors import TemplateProcessing

    made = tiny.small_tokenizer()
    made.no_truncation()
    made.no_padding()
    made.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] [SEP] $B [SEP]",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    framing = Framing(Tokens(made, 64), 64)
    (reading,) = framing.passages(framing.query("cat"), [PassageText("mat")])
    (window,) = reading.windows
    assert window.ids == made.encode("cat", "mat").ids
    assert window.second == len(window.ids)
