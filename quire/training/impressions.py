"""Lists that readers were shown, what each had met before, and the texts of both: what an encoder is fitted to."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from engine.personal.joint.example import PARTS, JointData, JointExample
from quire.training.events import Doing, Noted, Tell
from quire.training.impression_source import ImpressionSource
from quire.training.reading_past import Pasts
from quire.training.reading_texts import Texts
from reranker.data.clicks import PositionCurve
from reranker.errors import TrainingDataError

if TYPE_CHECKING:
    from eval.online import Impression

_EVERY = 100


def read_impressions(source: ImpressionSource, tell: Tell) -> JointData:
    """Return the lists of a log with the histories of their readers, in parts with different readers.

    A history holds what its reader did before the list was shown. A document that is in the list is taken out of it:
    what is learnt is which new documents fit a reader. One that the reader had met and did not click is taken out of
    the list, for nobody knows whether it was wrong or known.

    Raises:
        TrainingDataError: nothing is left to learn from, or a query has no text.
        EvalError, IndexingError, SearchError: a file or the index cannot be read.
    """
    from eval.online import read_log
    from indexer.opening import place_of
    from quire.index_argument import opened
    from quire.training.reading_queries import query_texts

    tell(Doing("reading the log"))
    log = read_log(source.log)
    for kind, count in Counter(problem.kind for problem in log.problems).items():
        tell(Noted(f"{source.log}: {count:,} x {kind}, such as {_first(log.problems, kind)}", warning=True))
    impressions = [seen for seen in log.without_floods() if seen.clicks]
    queries = query_texts(source.log, source.topics, impressions)
    with opened(place_of(source.index)) as index:
        texts = Texts(index.reader(), lambda: index.encoder)
        pasts = Pasts.read(source, {seen.user_id for seen in impressions if seen.user_id is not None}, tell)
        maker = _Maker(source, texts, pasts)
        made: list[tuple[str | None, JointExample]] = []
        for number, seen in enumerate(impressions):
            if number % _EVERY == 0:
                tell(Doing("collecting lists", number, len(impressions)))
            example = maker.example(number, seen, queries[seen.query_id])
            made += [] if example is None else [(seen.user_id, example)]
        for note in [*maker.notes(), *pasts.notes()]:
            tell(Noted(note, warning=True))
        data = JointData(tuple(texts.listed), *_parts(made, source))
    if not data.train:
        raise TrainingDataError(
            f"{source.log}: nothing to learn from: of {len(log.impressions):,} lists {len(impressions):,} have a "
            f"click, and {len(made):,} of those have both a clicked and another document that are in {source.index}; "
            "expected at least one, of a reader who is not measured on"
        )
    tell(Noted(_counted(data)))
    return data


def _first(problems: Iterable[Any], kind: str) -> str:
    problem = next(problem for problem in problems if problem.kind == kind)
    return f"line {problem.line}: {problem.found}" if problem.line else str(problem.found)


def _counted(data: JointData) -> str:
    shown = data.described()
    parts = [f"{shown[part]['lists']:,} lists of {shown[part]['readers']:,} readers" for part in PARTS]
    past = sum(len(one.history) for one in data.train) / len(data.train)
    return (
        f"to learn from: {parts[0]}, with {past:.1f} documents of history each; to choose by: {parts[1]}; to "
        f"measure on: {parts[2]}"
    )


class _Maker:
    """Makes an example of an impression."""

    def __init__(self, source: ImpressionSource, texts: Texts, pasts: Pasts) -> None:
        self._source = source
        self._texts = texts
        self._pasts = pasts
        self._curve = PositionCurve(eta=source.eta)
        self._missing: Counter[str] = Counter()
        self._single = 0

    def example(self, number: int, seen: Impression, query: str) -> JointExample | None:
        """Return the example; None where there is nothing to tell apart."""
        past = self._pasts.before(seen.user_id, seen.at)
        clicked = {seen.shown[place] for place in seen.clicks}
        shown: list[str] = []
        factors: list[float] = []
        for place, doc_id in enumerate(seen.shown, 1):
            if doc_id not in clicked and doc_id in past:
                continue
            if not self._texts.known(doc_id):
                self._missing[doc_id] += 1
                continue
            shown.append(doc_id)
            factors.append(1.0 / self._curve.examination(place) if doc_id in clicked else 1.0)
        drawn = self._texts.drawn(self._source.negatives, {*seen.shown, *past}, (self._source.seed, number))
        shown, factors = [*shown, *drawn], [*factors, *[1.0] * len(drawn)]
        grades = [float(doc_id in clicked) for doc_id in shown]
        if not 0 < sum(grades) < len(grades):
            self._single += 1
            return None
        liked = [item for item in past.items() if item[1] > 0 and item[0] not in shown]
        liked = [item for item in liked if self._texts.known(item[0])]
        liked = sorted(liked, key=lambda item: (-item[1], item[0]))[: self._source.history]
        return JointExample(
            reader=-1,
            query=query,
            history=tuple(self._texts.central(doc_id) for doc_id, _ in liked),
            shares=tuple(round(weight, 9) for _, weight in liked),
            shown=tuple(self._texts.nearest(query, shown)),
            grades=tuple(grades),
            weights=tuple(factors),
        )

    def notes(self) -> list[str]:
        """Return what was left out, in sentences."""
        found = []
        if self._missing:
            first = next(iter(self._missing))
            found.append(
                f"{len(self._missing):,} documents that were shown are not in the index, such as {first!r}"
            )
        if self._single:
            found.append(
                f"{self._single:,} lists with a click are left out: no other document is left to tell it from"
            )
        return found


def _parts(
    made: Sequence[tuple[str | None, JointExample]], source: ImpressionSource
) -> tuple[tuple[JointExample, ...], ...]:
    """Return the examples to learn from, to choose by and to measure on, readers named by numbers."""
    from dataclasses import replace

    numbers = _numbered({user for user, _ in made if user is not None}, source.seed)
    test = math.ceil(source.test * len(numbers)) if len(numbers) > 1 else 0
    dev = test + (math.ceil(source.dev * len(numbers)) if len(numbers) > test + 1 else 0)
    dev = min(dev, max(len(numbers) - 1, test))
    parts: tuple[list[JointExample], ...] = ([], [], [])
    for user, example in made:
        reader = -1 if user is None else numbers[user]
        part = 0 if reader < 0 or reader >= dev else 2 if reader < test else 1
        parts[part].append(replace(example, reader=reader))
    return tuple(tuple(part) for part in parts)


def _numbered(users: Iterable[str], seed: int) -> Mapping[str, int]:
    """Return a number for each reader, in an order by chance that only the seed and the readers decide."""

    def key(user: str) -> bytes:
        return blake2b(f"{seed}\x1f{user}".encode("utf-8", "surrogatepass"), digest_size=8).digest()

    return {user: number for number, user in enumerate(sorted(users, key=key))}
