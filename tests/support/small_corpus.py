"""Small corpora that are the same at every run, and an encoder that counts what it is asked for."""

from __future__ import annotations

import random
from collections.abc import Sequence

from indexer.document import Document
from indexer.encoder.hashing import HashingEncoder
from indexer.encoding import Vectors

WORDS = (
    "harbour lantern granite meadow thunder copper violet saddle ember willow canyon ledger marble orchard "
    "beacon hollow timber falcon cobalt prairie"
).split()


class CountingEncoder(HashingEncoder):
    """HashingEncoder that remembers how many passages it encoded."""

    def __init__(self, dim: int = 32) -> None:
        super().__init__(dim)
        self.encoded = 0

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        return super().encode_passages(texts)


def make_document(number: int, words: int = 30, seed: int = 0) -> Document:
    """Return a document of random words that is the same at every call with the same arguments."""
    choose = random.Random(f"{number}/{seed}")
    text = " ".join(choose.choices(WORDS, k=words)) + f" number{number}"
    metadata = {"number": number, "parity": "even" if number % 2 == 0 else "odd"}
    return Document(f"doc-{number:03}", text, title=choose.choice(WORDS).title(), metadata=metadata)
