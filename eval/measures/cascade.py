"""Measures of a user who goes down the list and may stop: ERR and RBP.

ir_measures knows both names but counts ERR by a Perl script and RBP by a library that is not always there; both are a
line each, and the tests hold them to those two.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

from eval.errors import InvalidEvaluation
from eval.measures.measure import Averaged, Known, written


@dataclass(frozen=True, slots=True)
class ERR(Averaged):
    """Expected reciprocal rank (Chapelle et al., CIKM 2009, equation 4).

    Σ 1/r · R(r) · Π over i < r of (1 - R(i)), where R = (2^grade - 1) / 2^max_rel is how likely a document satisfies.

    Args:
        cutoff: How many documents count; None for all.
        max_rel: The highest grade of the scale, 4 as in NIST's gdeval. It is part of the formula, so that values of
            collections with different scales compare only under one.
    """

    cutoff: int | None = None
    max_rel: int = 4

    def __str__(self) -> str:
        return written("ERR", self.cutoff, max_rel=(self.max_rel, 4))

    def values(self, known: Known) -> Mapping[str, float]:
        """Return the value of each judged query.

        Raises:
            InvalidEvaluation: a grade is higher than `max_rel`.
        """
        qrels = known.judgements.qrels
        highest = max((grade for grades in qrels.values() for grade in grades.values()), default=0)
        if highest > self.max_rel:
            raise InvalidEvaluation(
                f"{self} takes {self.max_rel} for the highest grade, and there is a {highest}; "
                f"ask for {ERR(self.cutoff, highest)}"
            )
        values = {}
        for query, grades in qrels.items():
            left, total = 1.0, 0.0
            for rank, doc_id in enumerate(islice(known.run.rankings.get(query, ()), self.cutoff), 1):
                grade = grades.get(doc_id, 0)
                if grade > 0:
                    satisfied = (2**grade - 1) / 2**self.max_rel
                    total += left * satisfied / rank
                    left *= 1 - satisfied
            values[query] = total
        return values


@dataclass(frozen=True, slots=True)
class RBP(Averaged):
    """Rank-biased precision (Moffat and Zobel, TOIS 2008, equation 4): (1 - p) · Σ p^(r - 1) over relevant ranks r.

    Args:
        cutoff: How many documents count; None for all.
        p: How likely the user goes on to the next document.
        rel: The least grade that is relevant.
    """

    cutoff: int | None = None
    p: float = 0.8
    rel: int = 1

    def __str__(self) -> str:
        return written("RBP", self.cutoff, p=(self.p, 0.8), rel=(self.rel, 1))

    def values(self, known: Known) -> Mapping[str, float]:
        """Return the value of each judged query."""
        lowest = self.rel - 1
        return {
            query: (1 - self.p)
            * sum(
                self.p**before
                for before, doc_id in enumerate(islice(known.run.rankings.get(query, ()), self.cutoff))
                if grades.get(doc_id, lowest) >= self.rel
            )
            for query, grades in known.judgements.qrels.items()
        }
