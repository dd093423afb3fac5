"""What every writer does with passages before it stores them: hash, see whether the encoder can read them, encode.

Encoding runs in a thread of its own, so that splitting, analysing and storing the next documents hide behind it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.context import contextual_text
from indexer.document import Document, Passage
from indexer.encoding import Encoder, Spans, TokenEncoder, Vectors
from indexer.errors import InvalidSettings
from indexer.token_coding import TokenCoding

_AT_A_TIME = 64  # texts whose uncoded tokens are in memory together
_BATCH = 256  # passages given to the encoder at a time
_QUEUE = 2  # batches under way before the writer waits
_READABLE = 0.5  # a passage of which the encoder knows less than this share of letters gets no vector

Key = TypeVar("Key")


class PassageEncoder:
    """What a writer makes of passages: their vectors, and with a coding their tokens.

    Raises:
        InvalidSettings: tokens are wanted and the encoder gives none.
    """

    def __init__(self, encoder: Encoder, coding: TokenCoding | None) -> None:
        self.readable = encoder.readable
        self.keeps_tokens = coding is not None
        self._encoder = encoder
        self._coding = coding
        self._tokens = encoder if isinstance(encoder, TokenEncoder) else None
        if coding is not None and self._tokens is None:
            raise InvalidSettings(
                f"this index keeps token vectors and the encoder {encoder.name} gives none: add "
                "encode_passages_with_tokens to it, or make an index with token_vectors=False"
            )

    def encode(self, texts: list[str]) -> tuple[Vectors, list[bytes]]:
        """Return the texts' vectors, and the codes of each one's tokens; no codes without a coding."""
        if self._coding is None or self._tokens is None:
            return self._encoder.encode_passages(texts), []
        found: list[Vectors] = []
        codes: list[bytes] = []
        for at in range(0, len(texts), _AT_A_TIME):
            vectors, tokens = self._tokens.encode_passages_with_tokens(texts[at : at + _AT_A_TIME])
            found.append(vectors)
            kept = [
                item.vectors[_says(text, item.spans)] for text, item in zip(texts[at:], tokens, strict=False)
            ]
            coded = self._coding.encode(np.concatenate(kept))
            ends = np.cumsum([len(item) for item in kept])[:-1]
            codes += [piece.tobytes() for piece in np.split(coded, ends)]
        return np.concatenate(found), codes


@dataclass(frozen=True, slots=True)
class Prepared:
    """A passage on its way into an index.

    Args:
        passage: The passage.
        context: What the encoder reads for it: title, headings, and its text.
        digest: The hash of that.
        readable: Whether the encoder can make anything of it; what is not readable gets no vector.
    """

    passage: Passage
    context: str
    digest: bytes
    readable: bool


def prepared(document: Document, passages: Sequence[Passage], encoder: PassageEncoder) -> list[Prepared]:
    """Return a document's passages with what is to be known of them before they are encoded."""
    result = []
    for passage in passages:
        context = contextual_text(
            document.title, passage.headings, document.text[passage.start : passage.end]
        )
        readable = encoder.readable(context) >= _READABLE
        result.append(Prepared(passage, context, passage_hash(context), readable))
    return result


def passage_hash(context: str) -> bytes:
    """Return the hash of a passage as the encoder reads it: equal ones have equal vectors."""
    return blake2b(context.encode(), digest_size=16).digest()


@dataclass(frozen=True, slots=True)
class Encoded(Generic[Key]):
    """Some passages that have been encoded.

    Args:
        keys: What they were called when they were added.
        vectors: Float32, shape (n, dim).
        codes: Of each one's tokens; empty where the index keeps none.
    """

    keys: list[Key]
    vectors: Vectors
    codes: list[bytes]


class EncodingQueue(Generic[Key]):
    """Encodes passages in a thread, in batches, in the order they are added. For one thread's use.

    Attributes:
        encoded: Passages that have come back.
        pending: Passages added that have not.
    """

    def __init__(self, encoder: PassageEncoder) -> None:
        self._encoder = encoder
        self._waiting: list[tuple[Key, str]] = []
        self._under_way: deque[tuple[list[Key], Future[tuple[Vectors, list[bytes]]]]] = deque()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="quire-encoder")
        self.encoded = 0
        self.pending = 0

    def add(self, items: Sequence[tuple[Key, str]]) -> None:
        """Add passages: what to call each, and what the encoder reads."""
        self._waiting += items
        self.pending += len(items)

    def some(self) -> Iterator[Encoded[Key]]:
        """Hand full batches to the thread and yield what is ready; waits only while too much is under way."""
        while len(self._waiting) >= _BATCH:
            self._submit()
        while self._under_way and (self._under_way[0][1].done() or len(self._under_way) > _QUEUE):
            yield self._collect()

    def rest(self) -> Iterator[Encoded[Key]]:
        """Yield all there is."""
        while self._waiting:
            self._submit()
        while self._under_way:
            yield self._collect()

    def close(self) -> None:
        """Forget what is left, and end the thread."""
        self._thread.shutdown(cancel_futures=True)

    def _submit(self) -> None:
        batch, self._waiting = self._waiting[:_BATCH], self._waiting[_BATCH:]
        texts = [text for _, text in batch]
        self._under_way.append(([key for key, _ in batch], self._thread.submit(self._encoder.encode, texts)))

    def _collect(self) -> Encoded[Key]:
        keys, future = self._under_way.popleft()
        vectors, codes = future.result()
        self.encoded += len(keys)
        self.pending -= len(keys)
        return Encoded(keys, vectors, codes)


def _says(text: str, spans: Spans) -> NDArray[np.bool_]:
    """Return which tokens have a letter or digit, shape (tokens,): the others answer no query and are not kept."""
    says = (any(map(str.isalnum, text[start:end])) for start, end in spans.tolist())
    return np.fromiter(says, dtype=np.bool_, count=len(spans))
