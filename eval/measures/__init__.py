"""How good is a run? Measures are values; `evaluate` computes them for every judged query.

    evaluation = evaluate(run, collection.judgements, [parse_measure("nDCG@10"), parse_measure("R@100")])
    evaluation.mean(parse_measure("nDCG@10"))

`parse` finds the measure of a name. Most are `Counted` by ir_measures; those of `passages`, `diversity`, `cascade` and
`latency` are counted here.
"""

from eval.measures.evaluation import Evaluation, evaluate
from eval.measures.measure import Measure
from eval.measures.parse import parse_measure

__all__ = ["Evaluation", "Measure", "evaluate", "parse_measure"]
