"""How much interests should count, learnt from clicks: lists that readers were shown in, weights and a verdict out.

The weights of being near a reader's past and of being read together with it are fitted on one half of the readers and
judged on the other, both ways, against those in use. What others read together is taken from the other half as well:
a click never counts as its own reason. Only a gain that chance cannot explain replaces the weights in use.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engine.personal.clicked import NAMES, read_together, terms_of
from engine.personal.fitting import Lists, NothingToLearn, Objective, fit
from engine.personal.learned import Learned, as_learned

if TYPE_CHECKING:
    from engine import SearchEngine
    from eval.online import Impression

Tell = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""

LEAST_LISTS = 100
LEAST_READERS = 20
LEVEL = 0.05
_FOLDS = 2


@dataclass(frozen=True, slots=True)
class ClickSource:
    """Where clicks come from, and how they are read.

    Args:
        log: Lists that were shown, as `eval.online.read_log` reads them.
        topics: Texts of the queries that the log names by id; empty where the log has them itself.
        eta: A place is looked at in proportion to 1/place^eta.
        objective: What is made small: `ranknet` or `bce`.
    """

    log: str
    topics: str = ""
    eta: float = 1.0
    objective: Objective = "ranknet"


@dataclass(frozen=True, slots=True)
class Judged:
    """What weights are worth on readers that they were not learnt from: means over readers of nDCG by clicks.

    Args:
        readers: How many.
        lists: Of how many lists.
        anonymous: With no interests.
        in_use: With the weights in use.
        learned: With the weights learnt.
        p_value: The chance of such a gain over the weights in use if there were none, one-sided.
        harmed: The share of the readers who have less than with no interests.
    """

    readers: int
    lists: int
    anonymous: float
    in_use: float
    learned: float
    p_value: float
    harmed: float


@dataclass(frozen=True, slots=True)
class ClickOutcome:
    """What came of it.

    Args:
        learned: The weights, from all lists; None where there was too little to learn from.
        judged: What they are worth; None likewise.
        passes: Whether they replace those in use.
        reason: Why, or why not.
        notes: What was left out of the log, in sentences.
    """

    learned: Learned | None
    judged: Judged | None
    passes: bool
    reason: str
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, object]:
        """Return all of it as plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Material:
    """Lists with the reader of each, by the list's number."""

    lists: Lists
    readers: Sequence[str]

    def of_fold(self, fold: int) -> NDArray[np.bool_]:
        """Return which rows are of readers of a fold."""
        folds = np.array([_fold(reader) for reader in self.readers])
        return np.asarray(folds[self.lists.lists] == fold)


def learn_from_clicks(engine: SearchEngine, source: ClickSource, tell: Tell) -> ClickOutcome:
    """Return the weights that a log of clicks speaks for, and whether they are better than those in use.

    Nothing is written. Lists of nobody, of readers without a past and of floods are left out, and so are documents
    that their reader had met before.

    Raises:
        EvalError: the log cannot be read.
        TrainingDataError: a query has no text.
        SearchError: the index or its readers cannot be read.
    """
    material, notes = _material(engine, source, tell)
    readers = len(set(material.readers))
    if len(material.readers) < LEAST_LISTS or readers < LEAST_READERS:
        return ClickOutcome(
            None,
            None,
            False,
            f"too little to learn from: {len(material.readers):,} lists of {readers:,} readers have a click to tell "
            f"from another document; at least {LEAST_LISTS} lists of {LEAST_READERS} readers are needed",
            notes,
        )
    tell("fitting", 0, 0)
    settings = engine._readership.settings
    in_use = Learned(settings.weight, settings.together)
    try:
        held = _held(material, source.objective, in_use)
        final = _fitted(material.lists, source.objective, in_use)
    except NothingToLearn as error:
        return ClickOutcome(None, None, False, str(error), notes)
    judged = _judged(material, held, in_use)
    passes, reason = _verdict(judged)
    facts = {"lists": judged.lists, "objective": source.objective, "eta": source.eta, **asdict(judged)}
    return ClickOutcome(Learned(final.weight, final.together, facts), judged, passes, reason, notes)


def weights_by_half(
    engine: SearchEngine, source: ClickSource, tell: Tell
) -> tuple[dict[int, Learned], Callable[[str], int]]:
    """Return the weights to judge each half of the readers by, learnt from the other half, and which half one is of.

    Raises:
        NothingToLearn: the clicks of a half say nothing.
    """
    material, _ = _material(engine, source, tell)
    settings = engine._readership.settings
    return _held(material, source.objective, Learned(settings.weight, settings.together)), _fold


def _held(material: _Material, objective: Objective, in_use: Learned) -> dict[int, Learned]:
    """Return for each half the weights that the other half's lists speak for."""
    return {
        fold: _fitted(material.lists.of(~material.of_fold(fold)), objective, in_use) for fold in range(_FOLDS)
    }


def _material(engine: SearchEngine, source: ClickSource, tell: Tell) -> tuple[_Material, tuple[str, ...]]:
    """Return the terms of the documents that were shown, and what was left out."""
    from engine.personal.coreading import CoReading
    from engine.query import Query
    from eval.online import read_log
    from quire.training.reading_queries import query_texts
    from reranker.data import PositionCurve

    log = read_log(source.log)
    store, left = engine.readers, Counter[str]()
    floods = log.floods | store.floods()
    usable: list[Impression] = []
    for seen in log.impressions:
        if not seen.clicks:
            left["have no click"] += 1
        elif seen.user_id is None or seen.user_id in floods or not store.version(seen.user_id):
            left["are of nobody, of a flood, or of a reader without a past"] += 1
        else:
            usable.append(seen)
    texts = query_texts(source.log, source.topics, usable)
    reads, settings, curve = list(store.reads()), CoReading(), PositionCurve(eta=source.eta)
    others = [
        read_together([one for one in reads if _fold(one[0]) != fold], settings) for fold in range(_FOLDS)
    ]
    rows: list[NDArray[np.float64]] = []
    numbers: list[int] = []
    clicked: list[bool] = []
    weights: list[float] = []
    readers: list[str] = []
    for done, seen in enumerate(usable):
        tell("going over lists", done, len(usable))
        reader = str(seen.user_id)
        query = Query(texts[seen.query_id], user_id=reader, at=seen.at, operators=False)
        terms = terms_of(engine, query, seen.shown, others[_fold(reader)])
        clicks = set(seen.clicks)
        chosen = [place in clicks for place in terms.places]
        if not any(chosen) or all(chosen):
            left[
                "have no clicked and another document left that are new to their reader and in the index"
            ] += 1
            continue
        rows.append(terms.values)
        numbers += [len(readers)] * len(chosen)
        clicked += chosen
        weights += [1.0 / curve.examination(place + 1) for place in terms.places]
        readers.append(reader)
    notes = [f"{count:,} of {len(log.impressions):,} lists {why}" for why, count in left.items()]
    notes += [f"the log has problems: {len(log.problems):,}"] if log.problems else []
    lists = Lists(
        np.concatenate([np.zeros((0, len(NAMES))), *rows]),
        np.array(numbers, dtype=np.int64),
        np.array(clicked, dtype=np.bool_),
        np.array(weights, dtype=np.float64),
    )
    return _Material(lists, readers), tuple(notes)


def _fitted(lists: Lists, objective: Objective, in_use: Learned) -> Learned:
    """Return the weights of some lists; those in use where the clicks do not follow the scores at all."""
    return as_learned(*fit(lists, objective).weights.tolist()) or in_use


def _judged(material: _Material, held: Mapping[int, Learned], in_use: Learned) -> Judged:
    """Return what weights are worth for the readers whom they were not learnt from."""
    from eval.statistics import randomisation

    values: dict[str, list[tuple[float, float, float]]] = defaultdict(list)
    for number, reader in enumerate(material.readers):
        one = material.lists.of(material.lists.lists == number)
        ways = (Learned(0.0, 0.0), in_use, held[_fold(reader)])
        values[reader].append(tuple(_ndcg(one, way) for way in ways))  # type: ignore[arg-type]
    means = np.array([np.mean(lists, axis=0) for _, lists in sorted(values.items())])
    two_sided = randomisation(means[:, 2], means[:, 1]).p_value
    anonymous, used, learned = (float(mean) for mean in means.mean(axis=0))
    return Judged(
        readers=len(means),
        lists=len(material.readers),
        anonymous=anonymous,
        in_use=used,
        learned=learned,
        p_value=two_sided / 2 if learned > used else 1 - two_sided / 2,
        harmed=float((means[:, 2] < means[:, 0] - 0.01).mean()),
    )


def _ndcg(one: Lists, weights: Learned) -> float:
    """Return the nDCG of one list as these weights order it, clicks weighed as when learning."""
    score, near, together = one.terms.T
    order = np.argsort(-(score + weights.weight * (near + weights.together * together)), kind="stable")
    gains = np.where(one.clicked, one.weights, 0.0)
    discounts = 1.0 / np.log2(np.arange(2, len(gains) + 2))
    return float(gains[order] @ discounts / (np.sort(gains)[::-1] @ discounts))


def _verdict(judged: Judged) -> tuple[bool, str]:
    """Return whether the weights pass the gate, and why."""
    gain = f"{judged.learned - judged.in_use:+.4f} nDCG against the weights in use, p = {judged.p_value:.2g}"
    if judged.learned < judged.anonymous:
        return (
            False,
            f"readers are better off with no interests: {judged.learned:.4f} against {judged.anonymous:.4f}",
        )
    if judged.learned <= judged.in_use:
        return False, f"no gain on readers that they were not learnt from: {gain}"
    if judged.p_value > LEVEL:
        return False, f"the gain may be chance: {gain}, needed at most {LEVEL:g}"
    return True, f"better for readers that they were not learnt from: {gain}"


def _fold(reader: str) -> int:
    return blake2b(reader.encode("utf-8", "surrogatepass"), digest_size=1).digest()[0] % _FOLDS
