"""Which encoder an index was made with, and where its cosines begin to mean something.

Models differ in what cosine they give to texts that have nothing to do with each other: around 0 for
all-MiniLM-L6-v2, 0.75 for the E5 family. Fusion needs that number as the lower bound of its scale,
so it is measured once, when an index is made, on texts about things far apart.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np

from indexer.encoder.load import Precision
from indexer.encoding import Encoder
from indexer.errors import FingerprintMismatch

_APART = (
    "The recipe calls for two cups of flour, a pinch of salt and butter at room temperature.",
    "Interest rates were raised by a quarter of a percent to slow inflation.",
    "The glacier has retreated four kilometres since the first survey.",
    "A stack overflow occurs when recursion has no base case.",
    "Her second violin concerto was first performed in the autumn of 1911.",
    "Vaccinated patients showed a lower rate of admission to hospital.",
    "The goalkeeper saved the penalty in the last minute of extra time.",
    "The tenant shall return the keys on the day the lease ends.",
)
_APART_CHINESE = (
    "把土豆切成薄片，用冷水浸泡十分钟。",
    "该公司第三季度的净利润同比增长百分之八。",
    "候鸟每年秋天沿海岸线向南迁徙。",
    "他在决赛中打破了全国纪录。",
    "这部小说描写了战争年代的一个村庄。",
    "患者术后第二天即可下床活动。",
)
_READS = 0.5  # share of the letters


@dataclass(frozen=True, slots=True)
class EncoderIdentity:
    """What an index keeps of its encoder.

    Args:
        name: To load it by.
        precision: To load it at: `int8`, or `auto` for what suits the machine, since fp32 and bf16 may be mixed.
        fingerprint: What it must have.
        dim: Length of its vectors.
        unrelated: The cosine that it seldom exceeds on unrelated texts.
    """

    name: str
    precision: Precision
    fingerprint: str
    dim: int
    unrelated: float


class OwnEncoder:
    """The encoder that an index was made with, loaded by name when it is first needed. Safe to share between threads.

    Args:
        identity: Which one.
        given: The one that was given; None to load it.

    Raises:
        FingerprintMismatch: the one that was given is another.
    """

    def __init__(self, identity: EncoderIdentity, given: Encoder | None) -> None:
        self.identity = identity
        self._lock = threading.Lock()
        self._encoder = None if given is None else self._checked(given)

    def get(self) -> Encoder:
        """Return it.

        Raises:
            ModelNotFound: it is nowhere to be found.
            FingerprintMismatch: what was found under its name is another one.
        """
        if self._encoder is None:
            from indexer.encoder import load_encoder

            with self._lock:
                if self._encoder is None:
                    found = load_encoder(self.identity.name, precision=self.identity.precision)
                    self._encoder = self._checked(found)
        return self._encoder

    def _checked(self, encoder: Encoder) -> Encoder:
        if encoder.fingerprint != self.identity.fingerprint:
            raise FingerprintMismatch("encoder", self.identity.fingerprint, encoder.fingerprint)
        return encoder


def identify(encoder: Encoder, precision: Precision) -> EncoderIdentity:
    """Return the identity of an encoder; encodes a few sentences."""
    unrelated = round(unrelated_cosine(encoder), 3)
    kept: Precision = "int8" if precision == "int8" else "auto"
    return EncoderIdentity(encoder.name, kept, encoder.fingerprint, encoder.dim, unrelated)


def unrelated_cosine(encoder: Encoder) -> float:
    """Return the cosine that queries seldom exceed with passages about something else: mean and one deviation."""
    texts = [*_APART]
    if encoder.readable(_APART_CHINESE[0]) >= _READS:
        texts += _APART_CHINESE
    passages = encoder.encode_passages(texts)
    queries = np.stack([encoder.encode_query(text) for text in texts])
    cosines = queries @ passages.T
    apart = cosines[~np.eye(len(texts), dtype=np.bool_)]
    return float(apart.mean() + apart.std())
