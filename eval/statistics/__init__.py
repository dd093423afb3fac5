"""Is the difference real, how large is it, and could this collection have shown it?

What is compared is always pairs: the values of two systems for the same queries, in the same order, as arrays
of shape (n,). Differences are the first less the second. What each answers, and what it does not, is in
docs/statistics.md.

    paired_t(ours, theirs)                       -> TestResult: may the mean difference be chance?
    wilcoxon(ours, theirs)                       -> the same, by ranks of the differences
    randomisation(ours, theirs)                  -> the same, assuming nothing of their distribution
    holm(p), benjamini_hochberg(p)               -> p-values of several tests, corrected
    bootstrap_interval(values)                   -> where the mean of queries like these may lie
    effect_size(ours, theirs)                    -> the difference in standard deviations
    minimum_detectable_difference(differences)   -> the smallest difference that so many queries can show
"""

from eval.statistics.corrections import benjamini_hochberg, holm
from eval.statistics.effects import effect_size, minimum_detectable_difference, power
from eval.statistics.intervals import bootstrap_interval, bootstrap_intervals
from eval.statistics.ranks import wilcoxon
from eval.statistics.results import TestResult
from eval.statistics.sign_flips import randomisation, randomisations
from eval.statistics.student import paired_t

__all__ = [
    "TestResult",
    "benjamini_hochberg",
    "bootstrap_interval",
    "bootstrap_intervals",
    "effect_size",
    "holm",
    "minimum_detectable_difference",
    "paired_t",
    "power",
    "randomisation",
    "randomisations",
    "wilcoxon",
]
