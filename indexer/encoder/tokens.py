"""Text to tokens: ids for the encoder, spans for the splitter."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

from indexer.document import storable
from indexer.errors import ModelError

Spans: TypeAlias = NDArray[np.int32]
Normalise: TypeAlias = Callable[[str], tuple[str, "NDArray[np.int64] | None"]]
"""Text to the text to tokenise, and for each of its characters the index of the one it came from, or None
where no character moved."""

_PIECE = 1 << 14
_BATCH = 64
_PARALLEL = "TOKENIZERS_PARALLELISM"
_GAP = re.compile(r"(?<!\s)\s")


@dataclass(frozen=True, slots=True)
class PairFrame:
    """The special tokens of a pair: ids before its first text, between the two, and after the second.

    `typed` says that tokens of the second text are of type 1, those before it of type 0.
    """

    before: list[int]
    between: list[int]
    after: list[int]
    typed: bool


@dataclass(frozen=True, slots=True)
class Framed:
    """One text as the network reads it.

    Args:
        ids: Its token ids, specials included, cut to the limit; never empty.
        first: Where in `ids` the text's own tokens begin.
        spans: The characters of its own tokens, int32, shape (own tokens, 2), cut like `ids`.
    """

    ids: list[int]
    first: int
    spans: Spans


def read_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a `tokenizer.json`, cutting and padding nothing.

    Raises:
        ModelError: the file is missing, or not a tokenizer.
    """
    try:
        tokenizer = Tokenizer.from_str(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); a model needs its tokenizer.json") from error
    except Exception as error:  # the library raises plain Exception
        raise ModelError(f"{path}: is not a tokenizer ({error}); fetch the model again") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


class Tokens:
    """A tokenizer as an encoder needs it. Safe to share between threads.

    Args:
        tokenizer: With neither truncation nor padding set.
        max_tokens: Tokens of one text, specials included.
        normalise: Applied to a text first, or None.
        lower: Whether texts are put in lower case first.

    Raises:
        ModelError: `max_tokens` leaves no room beside the special tokens.
    """

    def __init__(
        self, tokenizer: Tokenizer, max_tokens: int, normalise: Normalise | None = None, lower: bool = False
    ) -> None:
        _quiet_forks()
        self._tokenizer = tokenizer
        self._normalise = normalise
        self._lower = lower
        framed = tokenizer.encode("a")
        body = [place for place, special in enumerate(framed.special_tokens_mask) if not special]
        self._before: list[int] = framed.ids[: body[0]] if body else framed.ids[:1]
        self._after: list[int] = framed.ids[body[-1] + 1 :] if body else framed.ids[1:]
        self.specials = len(self._before) + len(self._after)
        self.max_tokens = max_tokens
        self.vocabulary: int = tokenizer.get_vocab_size(with_added_tokens=True)
        if max_tokens <= self.specials:
            raise ModelError(f"the model allows {max_tokens} tokens and needs {self.specials} of them itself")

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's token ids, specials included, cut to `max_tokens`; never empty."""
        room = self.max_tokens - self.specials
        shown = [self._prepared(text)[0] for text in texts]
        found: list[list[int]] = []
        for start in range(0, len(shown), _BATCH):
            batch = self._tokenizer.encode_batch_fast(shown[start : start + _BATCH], add_special_tokens=False)
            found.extend([*self._before, *encoding.ids[:room], *self._after] or [0] for encoding in batch)
        return found

    def framed(self, texts: Sequence[str]) -> list[Framed]:
        """Return what `ids` returns, and where in the texts the tokens are."""
        room = self.max_tokens - self.specials
        found: list[Framed] = []
        for start in range(0, len(texts), _BATCH):
            batch = [self._prepared(text) for text in texts[start : start + _BATCH]]
            encodings = self._tokenizer.encode_batch([text for text, _ in batch], add_special_tokens=False)
            for encoding, (_, places) in zip(encodings, batch, strict=True):
                ids = [*self._before, *encoding.ids[:room], *self._after]
                found.append(Framed(ids or [0], len(self._before), _placed(encoding, places)[:room]))
        return found

    def bodies(self, texts: Sequence[str]) -> list[list[int]]:
        """Return each text's token ids, without specials and uncut; long ones are read in pieces, as by `spans`."""
        found: list[list[int]] = [[] for _ in texts]
        owners, pieces = [], []
        for number, text in enumerate(texts):
            for _, piece in _pieces(text):
                owners.append(number)
                pieces.append(self._prepared(piece)[0])
        for start in range(0, len(pieces), _BATCH):
            batch = self._tokenizer.encode_batch_fast(
                pieces[start : start + _BATCH], add_special_tokens=False
            )
            for number, encoding in zip(owners[start:], batch, strict=False):
                found[number] += encoding.ids
        return found

    def pair(self) -> PairFrame:
        """Return what the tokenizer puts around and between two texts that are read together."""
        framed = self._tokenizer.encode("a", "a")
        parts = framed.sequence_ids
        first = [place for place, part in enumerate(parts) if part == 0]
        second = [place for place, part in enumerate(parts) if part == 1]
        ids = framed.ids
        return PairFrame(
            ids[: first[0]],
            ids[first[-1] + 1 : second[0]],
            ids[second[-1] + 1 :],
            typed=framed.type_ids[first[0]] == 0 and framed.type_ids[second[0]] == 1,
        )

    def count(self, text: str) -> int:
        """Return how many tokens a text has, without specials and uncut."""
        return len(self._tokenizer.encode(self._prepared(text)[0], add_special_tokens=False))

    def words(self) -> list[str]:
        """Return the entries of the vocabulary that are words, without the mark of a word's beginning, sorted.

        Where beginnings are marked, what has no mark counts in scripts without capitals, which often have no spaces.
        """
        pieces = self._tokenizer.get_vocab(with_added_tokens=False)
        marked = {piece[1:] for piece in pieces if piece[:1] in ("▁", "Ġ")}
        whole = marked | {piece for piece in pieces if not marked or piece.lower() == piece.upper()}
        return sorted(word for word in whole if word.isalpha())

    def unknown_letters(self, text: str) -> tuple[int, int]:
        """Return how many tokens a text has, and how many of its characters none of the vocabulary covers."""
        encoding = self._tokenizer.encode(self._prepared(text)[0], add_special_tokens=False)
        known = (self._tokenizer.token_to_id(name) for name in ("[UNK]", "<unk>"))
        unknown = {number for number in known if number is not None}
        spans = zip(encoding.ids, encoding.offsets, strict=True)
        return len(encoding), sum(end - start for number, (start, end) in spans if number in unknown)

    def spans(self, texts: Sequence[str]) -> list[Spans]:
        """Return the character spans of each text's tokens, int32, shape (tokens, 2).

        A long text is tokenised in pieces of about 16,000 characters that begin before white space, so
        time and memory grow linearly. Where 16,000 characters have no white space, the piece ends after
        them, which may be inside what would have been one token.
        """
        found: list[list[Spans]] = [[] for _ in texts]
        pieces = ((number, *piece) for number, text in enumerate(texts) for piece in _pieces(text))
        batch: list[tuple[int, int, str]] = []
        for piece in chain(pieces, [None]):
            if piece is not None:
                batch.append(piece)
            if batch and (piece is None or len(batch) == _BATCH):
                for (number, start, _), spans in zip(batch, self._spans(batch), strict=True):
                    found[number].append(spans + np.int32(start))
                batch.clear()
        return [np.concatenate(spans) if spans else np.zeros((0, 2), np.int32) for spans in found]

    def _spans(self, batch: Sequence[tuple[int, int, str]]) -> Iterator[Spans]:
        prepared = [self._prepared(text) for _, _, text in batch]
        encodings = self._tokenizer.encode_batch([text for text, _ in prepared], add_special_tokens=False)
        for encoding, (_, places) in zip(encodings, prepared, strict=True):
            yield _placed(encoding, places)

    def _prepared(self, text: str) -> tuple[str, NDArray[np.int64] | None]:
        text = storable(text)
        if self._lower:
            text = _lowered(text)
        return self._normalise(text) if self._normalise else (text, None)


def _placed(encoding: Encoding, places: NDArray[np.int64] | None) -> Spans:
    spans = np.fromiter(chain.from_iterable(encoding.offsets), np.int32, 2 * len(encoding)).reshape(-1, 2)
    if places is None or not len(spans):
        return spans
    starts, ends = spans[:, 0], spans[:, 1]
    last = places[np.maximum(ends, 1) - 1] + 1
    first = places[np.minimum(starts, len(places) - 1)]
    return np.stack([first, np.maximum(first, np.where(ends > starts, last, first))], axis=1).astype(np.int32)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield offsets and pieces that make up `text`."""
    start = 0
    while len(text) - start > _PIECE:
        end = start + _PIECE
        gaps = [match.start() for match in _GAP.finditer(text, end - 256, end)]
        if not gaps:
            gaps = [match.start() for match in _GAP.finditer(text, start + 1, end)][-1:] or [end]
        yield start, text[start : gaps[-1]]
        start = gaps[-1]
    if start < len(text):
        yield start, text[start:]


def _lowered(text: str) -> str:
    lowered = text.lower()
    if len(lowered) == len(text):
        return lowered
    return "".join(low if len(low := character.lower()) == 1 else character for character in text)


@cache
def _quiet_forks() -> None:
    """Let a forked child tokenise one text after the other: the library's threads do not survive a fork.

    It would see to that itself, with a warning on the terminal for every fork.
    """
    if _PARALLEL in os.environ:
        return

    def before() -> None:
        os.environ[_PARALLEL] = "false"

    def after_in_parent() -> None:
        os.environ.pop(_PARALLEL, None)

    os.register_at_fork(before=before, after_in_parent=after_in_parent)
