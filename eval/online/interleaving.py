"""Two rankings in one list, so that clicks on it say which is better: team draft, and probabilistic.

Pure functions of the two lists and a seed. The list of length n is the beginning of the list of length n + 1 from
the same seed. With a reader who clicks at random, or two equal systems, neither side wins in the long run.

    mixed = team_draft(ours, theirs, 10, seed=f"{user_id}/{query_id}/{day}")
    show(mixed.doc_ids);  log(shown=mixed.doc_ids, shares=mixed.shares, clicks=...)
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from eval.errors import InvalidEvaluation

_STEEPNESS = 3.0


@dataclass(frozen=True, slots=True)
class Interleaved:
    """One list of two.

    Args:
        doc_ids: Documents, best first.
        shares: For each place how much of a click's credit is system A's: 1, 0, or between; B has the rest.
    """

    doc_ids: tuple[str, ...]
    shares: tuple[float, ...]

    @property
    def teams(self) -> tuple[str, ...]:
        """`A` or `B` for places that are one system's alone, `-` for the others."""
        return tuple("A" if share == 1 else "B" if share == 0 else "-" for share in self.shares)


def team_draft(a: Sequence[str], b: Sequence[str], length: int, *, seed: int | str) -> Interleaved:
    """Return two rankings mixed as captains choose teams.

    The system with fewer picks picks next, a coin decides ties, and each picks its best document that is not yet in
    the list (Radlinski, Kurup and Joachims, CIKM 2008). What both lists begin with alike is nobody's: clicks on it
    would only add noise (Radlinski and Craswell, WSDM 2013).

    Args:
        a: System A's documents, best first.
        b: System B's.
        length: How many places; fewer come back when both lists together have fewer documents.
        seed: Same seed, same list: something of the reader, the query and the day.

    Raises:
        InvalidEvaluation: a list has a document twice, or the length is negative.
    """
    _check(a, b, length)
    coin = random.Random(seed)
    shared = 0
    while shared < min(len(a), len(b), length) and a[shared] == b[shared]:
        shared += 1
    chosen = dict.fromkeys(a[:shared], 0.5)
    picks = [0, 0]
    at = [shared, shared]
    while len(chosen) < length:
        for side, ranking in enumerate((a, b)):
            while at[side] < len(ranking) and ranking[at[side]] in chosen:
                at[side] += 1
        left = [side for side, ranking in enumerate((a, b)) if at[side] < len(ranking)]
        if not left:
            break
        turn = 0 if picks[0] < picks[1] or (picks[0] == picks[1] and coin.random() < 0.5) else 1
        side = turn if turn in left else left[0]
        chosen[(a, b)[side][at[side]]] = 1.0 - side
        picks[side] += 1
    return Interleaved(tuple(chosen), tuple(chosen.values()))


def probabilistic(
    a: Sequence[str], b: Sequence[str], length: int, *, seed: int | str, steepness: float = _STEEPNESS
) -> Interleaved:
    """Return two rankings mixed by chance: a coin picks the system, and the system draws a document.

    A system draws a document with a chance proportional to 1 / place^steepness among those not yet in the list. A
    document's credit is divided by how likely each system was to bring it, whichever did (marginalisation): Hofmann,
    Whiteson and de Rijke (CIKM 2011). So every document can come up, and a system gets credit for what it ranks
    higher even where the other's draw put it there, which team draft does not see.

    Args:
        a: System A's documents, best first.
        b: System B's.
        length: How many places; fewer come back when both lists together have fewer documents.
        seed: Same seed, same list.
        steepness: 0 draws evenly; more keeps closer to the rankings. 3 as in the article.

    Raises:
        InvalidEvaluation: a list has a document twice, the length is negative, or so is the steepness.
    """
    _check(a, b, length)
    if not 0 <= steepness <= 100:
        raise InvalidEvaluation(f"steepness is a number from 0 to 100; found {steepness!r}")
    chance = random.Random(seed)
    weights = tuple(
        {doc_id: place**-steepness for place, doc_id in enumerate(ranking, 1)} for ranking in (a, b)
    )
    doc_ids: list[str] = []
    shares: list[float] = []
    while len(doc_ids) < length and (weights[0] or weights[1]):
        side = 0 if chance.random() < 0.5 else 1
        drawing = weights[side] or weights[1 - side]
        doc_id = chance.choices(list(drawing), weights=list(drawing.values()))[0]
        by_a, by_b = (_chance(doc_id, weights[side]) for side in (0, 1))
        doc_ids.append(doc_id)
        shares.append(by_a / (by_a + by_b))
        for remaining in weights:
            remaining.pop(doc_id, None)
    return Interleaved(tuple(doc_ids), tuple(shares))


def _chance(doc_id: str, weights: dict[str, float]) -> float:
    """Return the chance of a system to draw a document next; of one that has none left, 0."""
    return weights[doc_id] / sum(weights.values()) if doc_id in weights else 0.0


def _check(a: Sequence[str], b: Sequence[str], length: int) -> None:
    if length < 0:
        raise InvalidEvaluation(f"length is how many places there are, at least 0; found {length}")
    for name, ranking in (("A", a), ("B", b)):
        if len(set(ranking)) != len(ranking):
            raise InvalidEvaluation(f"ranking {name} has a document twice; give each once")
