"""What an encoder's tokens are like, learnt before there is any document.

The coding of token vectors is fixed when an index is made, so that a passage's tokens are the same bytes whenever it
is added and whatever is added with it. It is fitted on texts made up of words that the encoder knows, in no order:
nonsense, but its tokens spread about as those of prose do.
"""

from __future__ import annotations

import random

import numpy as np

from indexer.encoding import TokenEncoder
from indexer.token_coding import TokenCoding

_TEXTS = 200
_WORDS = 24  # of one text


def fit_coding(encoder: TokenEncoder) -> TokenCoding:
    """Return a coding for the tokens of an encoder; encodes some 200 short texts."""
    words = encoder.vocabulary()
    choose = random.Random(0)
    texts = [" ".join(choose.choices(words, k=_WORDS)) for _ in range(_TEXTS)]
    _, tokens = encoder.encode_passages_with_tokens(texts)
    return TokenCoding.fitted(np.concatenate([item.vectors for item in tokens]))
