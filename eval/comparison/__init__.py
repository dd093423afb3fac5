"""Which of these systems is better, by how much, how surely, and on which queries?

comparison = compare(evaluations, "bm25", [parse_measure("nDCG@10")])
for contrast in comparison.contrasts:
    print(contrast.system, contrast.difference, contrast.interval, contrast.corrected_p)
lost, gained = extremes(ours, theirs, measure, topics, our_run.rankings, their_run.rankings, qrels)
"""

from eval.comparison.compare import CORRECTIONS, TESTS, compare
from eval.comparison.comparison import Comparison, Contrast, Row
from eval.comparison.extremes import QueryCase, ShownHit, extremes

__all__ = [
    "CORRECTIONS",
    "TESTS",
    "Comparison",
    "Contrast",
    "QueryCase",
    "Row",
    "ShownHit",
    "compare",
    "extremes",
]
