"""The controls that a real gain survives and a fake one does not.

*Somebody else's profile*: the same system, given another reader's history. What is gained by knowing this reader
is gone then; what remains was never personal: popularity, a better ranking for everyone, documents that leaked.

*Hiding what was read*: where a system leaves out documents that its reader has met, the anonymous list with the same
documents left out is the fair comparison; what that alone gains is no reading of interests.

*What is promoted*: of the documents that the personalised list brings into its first ranks and the anonymous one had
not there, how many are judged relevant. People's taste is guessed right now and then; a list that is nearly always
right about documents that the words of the query did not suggest has probably seen the answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from eval.collection import Qrels
from eval.personal.readers import Change, Values
from eval.run import Run

_TOO_GOOD = 0.5  # share of promoted documents that are relevant, from which on a leak is suspected
_ENOUGH = 20  # promotions, below which nothing is said of them


@dataclass(frozen=True, slots=True)
class Remaining:
    """The share of the gain that somebody else's profile keeps, with its 95% interval by bootstrap over readers."""

    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Promotions:
    """What the personalised list brings to its first ranks.

    Args:
        cutoff: How many ranks.
        documents: How many documents, over all queries, are among them and not among the anonymous list's.
        relevant: The share of these that is judged relevant.
        usual: For scale: the share of the documents that are first in an anonymous list that is.
    """

    cutoff: int
    documents: int
    relevant: float
    usual: float

    @property
    def suspicious(self) -> bool:
        """Whether so many are relevant that a leak of the judgements is likelier than a good guess."""
        return (
            self.documents >= _ENOUGH
            and self.relevant > _TOO_GOOD
            and self.relevant > min(1.0, 2 * self.usual)
        )


def remaining(
    base: Values, personal: Values, shuffled: Values, *, rounds: int = 10_000, seed: int = 0
) -> Remaining:
    """Return (shuffled - base) / (personal - base), means over readers, with a percentile bootstrap interval.

    Args:
        base: Reader to value of the anonymous run.
        personal: Of the personalised run.
        shuffled: Of the run with other readers' profiles.
        rounds: Resamples; those in which nothing is gained are left out.
        seed: Of the resamples.
    """
    import numpy as np

    gains = np.array([personal[user] - base[user] for user in base])
    kept = np.array([shuffled[user] - base[user] for user in base])
    random = np.random.default_rng(seed)
    shares = []
    for first in range(0, rounds, 1000):
        drawn = random.integers(0, len(gains), size=(min(1000, rounds - first), len(gains)))
        over, under = kept[drawn].mean(axis=1), gains[drawn].mean(axis=1)
        shares.append(over[under > 0] / under[under > 0])
    low, high = np.quantile(np.concatenate(shares), (0.025, 0.975))
    return Remaining(float(kept.mean() / gains.mean()), float(low), float(high))


def without(run: Run, hidden: Mapping[str, frozenset[str]]) -> Run:
    """Return a run without the documents that are hidden from each query."""
    return Run(
        run.name,
        {
            query_id: {doc_id: score for doc_id, score in ranking.items() if doc_id not in hidden[query_id]}
            if hidden.get(query_id)
            else ranking
            for query_id, ranking in run.rankings.items()
        },
        run.seconds,
        {
            query_id: [span for span in spans if span.doc_id not in hidden.get(query_id, ())]
            for query_id, spans in run.spans.items()
        },
    )


def promotions(anonymous: Run, personal: Run, qrels: Qrels, cutoff: int = 10) -> Promotions:
    """Return how often what is promoted into the first `cutoff` ranks is relevant, over all judged queries."""
    brought = right = firsts = first_right = 0
    for query_id, grades in qrels.items():
        before = list(anonymous.rankings.get(query_id, ()))[:cutoff]
        new = set(list(personal.rankings.get(query_id, ()))[:cutoff]).difference(before)
        brought += len(new)
        right += sum(grades.get(doc_id, 0) > 0 for doc_id in new)
        firsts += bool(before)
        first_right += bool(before) and grades.get(before[0], 0) > 0
    return Promotions(
        cutoff, brought, right / brought if brought else 0.0, first_right / firsts if firsts else 0.0
    )


def verdict(
    gain: Change, control: Change | None, personal_part: Change | None, left: Remaining | None
) -> str:
    """Return in words what came of it.

    Args:
        gain: The personalised run against the anonymous one.
        control: The run with other readers' profiles against the anonymous one; None without one.
        personal_part: The personalised run against that control.
        left: The share of the gain that the control keeps; None where there is no gain to share.
    """
    size = f"{gain.difference:+.4f} over {gain.readers:,} readers (95% interval {gain.low:+.4f} to {gain.high:+.4f})"
    if gain.loss:
        return f"Personalising makes it worse: {size}, p {_p(gain)}."
    if not gain.gain or gain.low <= 0:
        return f"No gain is shown: {size}, p {_p(gain)}."
    begun = f"Personalising gains {size}, p {_p(gain)}"
    if control is None or personal_part is None or left is None:
        return f"{begun}; but whether that is personal is not known, for no run with other readers' profiles was given."
    share = f"{left.share:.0%} ({left.low:.0%} to {left.high:.0%})"
    if left.share >= 0.5:
        end = (
            f"most of the gain, {share}, remains with somebody else's profile: it is not personal. Popularity, a "
            "better ranking for everyone, or a leak of the judged documents would look like this"
        )
    elif control.gain:
        end = (
            f"part of it, {share}, remains with somebody else's profile; the personal part is "
            f"{personal_part.difference:+.4f}, p {_p(personal_part)}"
        )
    elif not personal_part.gain:
        end = f"the run with somebody else's profile keeps {share}, and more readers are needed to tell them apart"
    elif control.loss:
        end = "with somebody else's profile it turns into a loss: the gain is personal"
    else:
        end = f"with somebody else's profile it vanishes, {share} of it remains: the gain is personal"
    return f"{begun}; {end}."


def _p(change: Change) -> str:
    return f"{change.corrected:.4f}" if change.corrected >= 0.00005 else "< 0.0001"
