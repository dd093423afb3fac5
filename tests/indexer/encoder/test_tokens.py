import os
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import run

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from indexer.document import storable
from indexer.encoder import tokens as module
from indexer.encoder.tokens import Tokens, read_tokenizer
from indexer.errors import ModelError

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def small(**choices: object) -> Tokens:
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        *LETTERS,
        *("##" + letter for letter in LETTERS),
        "the",
        "cat",
    ]
    tokenizer = Tokenizer(models.WordPiece({word: n for n, word in enumerate(vocabulary)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return Tokens(tokenizer, 10, **choices)  # type: ignore[arg-type]


@settings(deadline=None, max_examples=100)
@given(st.text(), st.integers(4, 40))
@example("a\ud800b c", 5)
@example("the\u2003cat\n\n  the", 4)
def test_spans_in_pieces_are_the_spans_of_the_whole(text: str, piece: int) -> None:
    tokens = small()
    text = " ".join(word[: piece - 2] for word in text.split(" "))  # pieces can end at white space
    expected = tokens._tokenizer.encode(storable(text), add_special_tokens=False).offsets
    before, module._PIECE = module._PIECE, piece
    try:
        (spans,) = tokens.spans([text])
        pieces = list(module._pieces(text))
    finally:
        module._PIECE = before
    assert "".join(part for _, part in pieces) == text
    if all(len(part) < piece or part[0].isspace() or at == 0 for at, part in pieces):
        assert spans.tolist() == [list(span) for span in expected]
    assert spans.dtype == np.int32
    assert spans.shape[1] == 2


def test_spans_of_many_texts_keep_their_places() -> None:
    tokens = small()
    texts = ["the cat " * n for n in range(150)]
    many = tokens.spans(texts)
    assert [len(spans) for spans in many] == [2 * n for n in range(150)]
    assert all(text[a:b] in ("the", "cat") for text, spans in zip(texts, many, strict=True) for a, b in spans)
    assert tokens.spans([]) == []


def test_ids_are_cut_around_the_specials_and_never_empty() -> None:
    tokens = small()
    assert tokens.ids(["the cat", ""]) == [[2, 56, 57, 3], [2, 3]]
    (cut,) = tokens.ids(["the " * 50])
    assert cut == [2, *[56] * 8, 3]
    with pytest.raises(ModelError, match="needs 2 of them"):
        Tokens(tokens._tokenizer, 2)


def test_what_tokenizer_json_says_of_cutting_and_padding_is_undone(make_model: Callable[..., Path]) -> None:
    tokens = Tokens(read_tokenizer(make_model() / "tokenizer.json"), 24)
    assert [len(ids) for ids in tokens.ids(["the cat", "the " * 20])] == [4, 22]


def test_characters_that_move_keep_their_places() -> None:
    def normalise(text: str) -> tuple[str, np.ndarray]:
        parts = [{"ﬃ": "ffi", "\u200b": ""}.get(character, character) for character in text]
        return "".join(parts), np.repeat(np.arange(len(text)), [len(part) for part in parts])

    text = "\u200bthe \u200bcaﬃt\u200b the"
    (spans,) = small(normalise=normalise).spans([text])
    assert [text[a:b] for a, b in spans] == ["the", "c", "a", "ﬃ", "ﬃ", "ﬃ", "t", "the"]
    assert small(normalise=normalise).spans(["\u200b"])[0].shape == (0, 2)


@settings(deadline=None, max_examples=50)
@given(st.text())
@example("İİ THE")
def test_lower_case_moves_nothing(text: str) -> None:
    (spans,) = small(lower=True).spans([text])
    assert all(0 <= a <= b <= len(text) for a, b in spans)


def test_a_fork_after_tokenising_is_quiet_and_works(make_model: Callable[..., Path]) -> None:
    code = (
        "import os, sys; from pathlib import Path; from indexer.encoder.tokens import Tokens, read_tokenizer\n"
        "t = Tokens(read_tokenizer(Path(sys.argv[1])), 24); texts = ['the cat'] * 500; n = len(t.ids(texts))\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    os._exit(0 if len(t.ids(texts)) == n and os.environ['TOKENIZERS_PARALLELISM'] == 'false' else 1)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) or os.environ.get('TOKENIZERS_PARALLELISM'))"
    )
    environment = {name: value for name, value in os.environ.items() if name != "TOKENIZERS_PARALLELISM"}
    done = run(
        [sys.executable, "-c", code, str(make_model() / "tokenizer.json")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_broken_tokenizer_is_a_model_error(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(ModelError, match="cannot be read"):
        read_tokenizer(path)
    path.write_text("{}")
    with pytest.raises(ModelError, match="is not a tokenizer"):
        read_tokenizer(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match="cannot be read"):
        read_tokenizer(path)
