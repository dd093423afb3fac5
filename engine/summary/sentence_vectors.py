"""The encoder as summaries use it: loaded when first needed, for sentences and queries, and allowed to fail."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import numpy as np

from indexer.encoding import Encoder, Vectors
from indexer.errors import FingerprintMismatch

_log = logging.getLogger(__name__)


class NoVectors(Exception):
    """The encoder gave none; the message says why, as a notice for the reader."""


class SentenceVectors:
    """Encodes sentences and queries. Safe to share between threads.

    Args:
        load: Returns the encoder; called when the first vector is needed, and again after it failed.
    """

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None

    def of_sentences(self, texts: Sequence[str], fingerprint: str) -> Vectors:
        """Return unit vectors, float32, shape (n, dim).

        Args:
            texts: The sentences.
            fingerprint: Of the encoder that made the index's vectors.

        Raises:
            NoVectors: the encoder failed.
            FingerprintMismatch: this encoder is another one.
        """
        return self._checked(fingerprint, len(texts), lambda encoder: encoder.encode_passages(texts))

    def of_query(self, text: str, fingerprint: str) -> Vectors:
        """Return a unit vector, float32, shape (dim,).

        Args:
            text: The query's words.
            fingerprint: Of the encoder that made the index's vectors.

        Raises:
            NoVectors: the encoder failed, or cannot read the query's script.
            FingerprintMismatch: this encoder is another one.
        """

        def encode(encoder: Encoder) -> Vectors:
            if encoder.readable(text) <= 0.0:
                raise NoVectors(
                    f"The encoder {encoder.name} cannot read the query's script, so words alone decide."
                )
            return np.asarray(encoder.encode_query(text))[None]

        vector: Vectors = self._checked(fingerprint, 1, encode)[0]
        return vector

    def _checked(self, fingerprint: str, rows: int, encode: Callable[[Encoder], Vectors]) -> Vectors:
        try:
            encoder = self._loaded()
            if encoder.fingerprint != fingerprint:
                raise FingerprintMismatch("encoder", fingerprint, encoder.fingerprint)
            vectors = np.asarray(encode(encoder), dtype=np.float32)
            if vectors.shape != (rows, encoder.dim) or not np.isfinite(vectors).all():
                raise ValueError(f"{rows} vectors of {encoder.dim} finite numbers were expected")
        except (FingerprintMismatch, NoVectors):
            raise
        except Exception as error:  # whatever an encoder raises, words and order can still choose
            _log.warning("the encoder failed", exc_info=True)
            reason = f"{type(error).__name__}: {error}".split("\n")[0]
            raise NoVectors(
                f"The encoder failed, so words and order alone decide ({reason:.200})."
            ) from error
        return vectors

    def _loaded(self) -> Encoder:
        if self._encoder is None:
            with self._lock:
                if self._encoder is None:
                    self._encoder = self._load()
        return self._encoder
