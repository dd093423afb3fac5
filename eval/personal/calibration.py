"""Does the list keep the proportions of the reader's own interests?

Who reads seven papers of biology for three of physics is badly served by ten of biology, however relevant. Steck
(Calibrated Recommendations, 2018) compares the distribution of categories in the history with that in the list; here
it is by the Jensen-Shannon divergence (0 the same, 1 nothing in common) instead of Kullback-Leibler's, which has no
upper bound and has to be smoothed. With groups of popularity for categories it is the popularity deviation of
Abdollahpouri, Mansoury, Burke, Mobasher and Malthouse (2021): do readers of rarities get rarities?
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from eval.personal.histories import Histories
from eval.personal.readers import mean
from eval.personal.shown import Popularity
from eval.run import Run

Shares = Mapping[str, float]


def popularity_groups(popularity: Popularity) -> dict[str, tuple[str, ...]]:
    """Return each met document's group: `head`, `middle` or `tail`.

    The head is the most read documents that together have a fifth of all readings, the tail the least read that
    together have a fifth (the same source as the measure). Documents with as many readers are ordered by doc_id.
    """
    ordered = sorted(popularity.readers, key=lambda doc_id: (-popularity.readers[doc_id], doc_id))
    total = sum(popularity.readers.values())
    groups: dict[str, tuple[str, ...]] = {}
    before = 0
    for doc_id in ordered:
        middle = before + popularity.readers[doc_id] / 2  # a document belongs where its middle reading lies
        groups[doc_id] = ("head" if middle <= total / 5 else "tail" if middle >= total * 4 / 5 else "middle",)
        before += popularity.readers[doc_id]
    return groups


def miscalibration(
    run: Run,
    users: Mapping[str, str],
    histories: Histories,
    categories: Mapping[str, Sequence[str]],
    cutoff: int = 10,
) -> float:
    """Return the mean over readers of the divergence between what they read and what they are shown; less is better.

    A reader's history is that of all their queries together, each document once; what is shown is the first ranks
    of all their queries. A document of several categories gives each an equal part, one of none counts nowhere.
    NaN where no reader has both.

    Args:
        run: The run.
        users: Query to reader.
        histories: Query to history.
        categories: Document to its categories.
        cutoff: How many ranks.
    """
    read: dict[str, set[str]] = defaultdict(set)
    shown: dict[str, list[str]] = defaultdict(list)
    for query_id, user in users.items():
        read[user].update(event.doc_id for event in histories.get(query_id, ()))
        shown[user] += list(run.rankings.get(query_id, ()))[:cutoff]
    divergences = {}
    for user in read:
        wanted, given = _shares(sorted(read[user]), categories), _shares(shown[user], categories)
        if wanted and given:
            divergences[user] = jensen_shannon(wanted, given)
    return mean(divergences)


def jensen_shannon(p: Shares, q: Shares) -> float:
    """Return the Jensen-Shannon divergence of two distributions in bits, from 0 to 1 (Lin 1991)."""

    def towards_middle(a: Shares, b: Shares) -> float:
        return math.fsum(
            share * math.log2(2 * share / (share + b.get(name, 0.0)))
            for name, share in a.items()
            if share > 0
        )

    return min(1.0, max(0.0, (towards_middle(p, q) + towards_middle(q, p)) / 2))


def _shares(documents: Sequence[str], categories: Mapping[str, Sequence[str]]) -> dict[str, float]:
    parts: dict[str, float] = defaultdict(float)
    for doc_id in documents:
        own = categories.get(doc_id, ())
        for name in own:
            parts[name] += 1 / len(own)
    total = math.fsum(parts.values())
    return {name: part / total for name, part in parts.items()}
