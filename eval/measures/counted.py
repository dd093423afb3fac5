"""Measures that ir_measures counts, most of them by trec_eval's own code."""

from __future__ import annotations

import math
from collections.abc import Collection as Several
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eval.collection import Judgements, Qrels
from eval.errors import InvalidEvaluation, MissingDependency
from eval.measures.measure import Known

SUBTOPICS = frozenset(("ERR_IA", "nERR_IA", "alpha_DCG", "NRBP", "nNRBP", "AP_IA", "P_IA", "StRecall"))
"""Base names of the measures that judge subtopics; pyndeval counts them."""
_TOTALS = frozenset(("NumQ", "NumRel", "NumRet"))


@dataclass(frozen=True, slots=True)
class Counted:
    """A measure of ir_measures.

    Args:
        counted: The measure there, which compares and hashes by its name too.
    """

    counted: Any

    @property
    def default(self) -> float:
        """What a judged query counts with that the run does not answer."""
        return float(self.counted.DEFAULT)

    @property
    def lower_is_better(self) -> bool:
        """Whether a smaller value is the better one: no."""
        return False

    def aggregate(self, values: Several[float]) -> float:
        """Return the mean; of NumQ, NumRel and NumRet the sum, as trec_eval does."""
        total = math.fsum(values)
        return total if self.counted.NAME in _TOTALS else total / len(values)

    def __str__(self) -> str:
        return str(self.counted)


def ir_measures() -> Any:
    """Return the library.

    Raises:
        MissingDependency: it is not installed.
    """
    try:
        import ir_measures as library
    except ImportError as error:
        raise MissingDependency("ir_measures", "computing measures") from error
    return library


def count(measures: Sequence[Counted], known: Known) -> dict[Counted, dict[str, float]]:
    """Return each measure's value of every judged query; of measures of subtopics, of every query that has some.

    Raises:
        InvalidEvaluation: a measure needs subtopics, and there are none.
        MissingDependency: a measure needs a library that is not installed.
    """
    values: dict[Counted, dict[str, float]] = {}
    # ir_measures knows dictionaries, and no other mappings. It divides by the length of a ranking.
    qrels = {query: dict(grades) for query, grades in known.judgements.qrels.items()}
    rankings = {
        query: ranking if isinstance(ranking, dict) else dict(ranking)
        for query, ranking in known.run.rankings.items()
        if ranking and query in qrels
    }
    plain = [measure for measure in measures if measure.counted.NAME not in SUBTOPICS]
    values |= {measure: _defaults(measure, qrels) for measure in plain}
    _fill(values, {_countable(measure.counted, qrels): measure for measure in plain}, qrels, rankings)
    for measure in measures:
        if measure.counted.NAME in SUBTOPICS:
            judged = _subtopic_qrels(measure, known.judgements)
            values[measure] = dict.fromkeys((q for q in known.judgements.subtopics if q in qrels), 0.0)
            # One by one: given several, its provider sees the run only once.
            _fill(values, {measure.counted: measure}, judged, rankings)
    return values


def _fill(
    values: dict[Counted, dict[str, float]],
    asked: Mapping[Any, Counted],
    qrels: Any,
    rankings: Mapping[str, Mapping[str, float]],
) -> None:
    if not asked:
        return
    library = ir_measures()
    of = {name: values[measure] for name, measure in asked.items()}
    try:
        for query_id, measure, value in library.iter_calc(list(asked), qrels, rankings):
            if query_id in rankings:
                of[measure][query_id] = value
    except Exception as error:
        if not str(error).startswith("Unsupported measures"):
            names = ", ".join(sorted(map(str, asked.values())))
            raise InvalidEvaluation(
                f"ir_measures cannot count {names} here ({type(error).__name__}: {error}); leave out the one that fails"
            ) from error
        names = ", ".join(sorted(str(measure) for measure in asked.values() if not _supported(measure)))
        needed = "pyndeval" if "pyndeval" in str(error) else "cwl-eval"
        raise MissingDependency(needed, f"counting {names}", "measures") from error


def _supported(measure: Counted) -> bool:
    return bool(ir_measures().DefaultPipeline.supports(measure.counted))


def _defaults(measure: Counted, qrels: Qrels) -> dict[str, float]:
    """Return what each query counts with unanswered; what only the judgements say needs no answer."""
    if measure.counted.NAME == "NumQ":
        return dict.fromkeys(qrels, 1.0)
    if measure.counted.NAME == "NumRel":
        rel = measure.counted["rel"]
        return {q: float(sum(grade >= rel for grade in grades.values())) for q, grades in qrels.items()}
    return dict.fromkeys(qrels, measure.default)


def _countable(measure: Any, qrels: Qrels) -> Any:
    """Return the measure to be counted for this one: the exponential nDCG is the plain one over 2^grade - 1."""
    if measure.NAME != "nDCG" or measure["dcg"] != "exp-log2":
        return measure
    highest = max((grade for grades in qrels.values() for grade in grades.values()), default=0)
    kept = {name: value for name, value in measure.params.items() if name not in ("dcg", "gains")}
    gains = measure.params.get("gains", {})
    exponential = {grade: 2 ** gains.get(grade, grade) - 1 for grade in range(1, highest + 1)}
    return type(measure)(**kept, gains=exponential)


def _subtopic_qrels(measure: Counted, judgements: Judgements) -> list[Any]:
    qrel = ir_measures().Qrel
    judged = [
        qrel(query, doc_id, grade, subtopic)
        for query, subtopics in judgements.subtopics.items()
        for subtopic, grades in subtopics.items()
        for doc_id, grade in grades.items()
        if query in judgements.qrels
    ]
    if not judged:
        raise InvalidEvaluation(
            f"{measure} needs judgements of subtopics, and there are none; a collection gives them in subtopics.tsv, "
            "and TREC's diversity qrels in their second column"
        )
    return judged
