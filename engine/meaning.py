"""The encoder as the query layer uses it: loaded when first needed, and allowed to fail."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from indexer.encoding import Encoder, TokenEncoder, TokenVectors, Vectors
from indexer.errors import FingerprintMismatch

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What the encoder made of a query.

    Args:
        vector: A unit vector, shape (dim,); None where there is none.
        readable: The share of the query that the encoder can read.
        notice: Why there is no vector, for the user; empty when there is one.
        text: What was encoded: the words of the query that the encoder can read.
    """

    vector: Vectors | None
    readable: float
    notice: str = ""
    text: str = ""


NO_MEANING = Meaning(None, 0.0)


class QueryEncoder:
    """Encodes queries. Safe to share between threads.

    Args:
        load: Returns the encoder; called once, when the first query needs it.
    """

    def __init__(self, load: Callable[[], Encoder]) -> None:
        self._load = load
        self._lock = threading.Lock()
        self._encoder: Encoder | None = None

    def encode(self, text: str, fingerprint: str) -> Meaning:
        """Return what a text means; a notice in place of it when the encoder fails or cannot read the text.

        Args:
            text: The query's words.
            fingerprint: Of the encoder that made the index's vectors.

        Raises:
            FingerprintMismatch: this encoder is another one.
        """
        if not text.strip():
            return NO_MEANING
        try:
            encoder = self.loaded()
            if encoder.fingerprint != fingerprint:
                raise FingerprintMismatch("encoder", fingerprint, encoder.fingerprint)
            readable = min(max(float(encoder.readable(text)), 0.0), 1.0)
            if readable <= 0.0:
                return Meaning(
                    None, 0.0, f"The encoder {encoder.name} cannot read this script, so words alone decide."
                )
            if readable < 1.0:
                text = " ".join(word for word in text.split() if encoder.readable(word) > 0.0) or text
            vector = np.asarray(encoder.encode_query(text), dtype=np.float32)
            if vector.shape != (encoder.dim,) or not np.isfinite(vector).all():
                raise ValueError(f"a vector of shape {vector.shape} with finite numbers was expected")
        except FingerprintMismatch:
            raise
        except Exception as error:  # whatever an encoder raises, words can still answer
            _log.warning("the encoder failed", exc_info=True)
            reason = f"{type(error).__name__}: {error}".split("\n")[0]
            return Meaning(None, 0.0, f"The encoder failed, so words alone decide ({reason:.200}).")
        return Meaning(vector, readable, text=text)

    def tokens(self, text: str) -> TokenVectors | None:
        """Return the vectors of a text's tokens; None where the encoder gives none, or fails.

        Args:
            text: `Meaning.text`.
        """
        try:
            encoder = self.loaded()
            if not isinstance(encoder, TokenEncoder):
                return None
            tokens = encoder.encode_query_tokens(text)
            if not (len(tokens.vectors) == len(tokens.spans) and np.isfinite(tokens.vectors).all()):
                raise ValueError(f"{len(tokens.spans)} vectors of finite numbers were expected")
        except Exception:  # whatever an encoder raises, the other signals remain
            _log.warning("the encoder gave no vectors of tokens", exc_info=True)
            return None
        return tokens if len(tokens.spans) else None

    def loaded(self) -> Encoder:
        """Return the encoder itself."""
        if self._encoder is None:
            with self._lock:
                if self._encoder is None:
                    self._encoder = self._load()
        return self._encoder
