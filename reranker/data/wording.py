"""When two texts say the same: words, a normal form, and which of many queries are near-same."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from hashlib import blake2b

_WORD = re.compile(r"[^\W_]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def words(text: str) -> list[str]:
    """Return the words of a text, in order, without case, width or punctuation; pairs of characters of Chinese."""
    found: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        if _UNSPACED.search(word) and len(word) > 2:
            found += (word[at : at + 2] for at in range(len(word) - 1))
        else:
            found.append(word)
    return found


def normal(text: str) -> str:
    """Return a form that is the same for texts that differ in case, width, white space and punctuation alone."""
    return " ".join(_WORD.findall(unicodedata.normalize("NFKC", text).casefold()))


def text_hash(text: str) -> bytes:
    """Return 16 bytes that are the same for texts of the same normal form."""
    return blake2b(normal(text).encode("utf-8", "replace"), digest_size=16).digest()


def near_same(texts: Sequence[str], likeness: float = 0.8) -> Iterator[tuple[int, int]]:
    """Yield pairs (earlier, later) of texts whose sets of words are alike: |both| / |either| >= `likeness`.

    Exact, by prefix filtering (Chaudhuri, Ganti and Kaushik, ICDE 2006): two sets that are alike share one of their
    rarest words, so only texts that do are compared. Texts without any word are alike to none.

    Args:
        texts: Any number.
        likeness: From above 0 to 1.
    """
    sets = [frozenset(words(text)) for text in texts]
    frequency = Counter(word for each in sets for word in each)
    holders: dict[str, list[int]] = defaultdict(list)
    for number, each in enumerate(sets):
        rarest = sorted(each, key=lambda word: (frequency[word], word))
        prefix = rarest[: len(rarest) - math.ceil(likeness * len(rarest) - 1e-9) + 1]
        compared: set[int] = set()
        for word in prefix:
            for other in holders[word]:
                if other not in compared:
                    compared.add(other)
                    both = len(each & sets[other])
                    if both >= likeness * (len(each) + len(sets[other]) - both) - 1e-9:
                        yield other, number
            holders[word].append(number)
