"""From which lists wrong answers are drawn: words, meaning, both, neighbours, the teacher's favourites, chance."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from reranker.data.candidates import Candidate, CandidateSource
from reranker.data.concealing import concealed, said
from reranker.data.guard import Guard
from reranker.data.judged import JudgedQuery
from reranker.data.mining_settings import MiningSettings, Origin
from reranker.scorer import PairScorer

Drawn = list[tuple[Origin, Candidate]]


def draw(
    query: JudgedQuery,
    rights: Sequence[Candidate],
    source: CandidateSource,
    settings: MiningSettings,
    guard: Guard,
    teacher: PairScorer | None = None,
) -> Drawn:
    """Return wrong answers for a query, each with the list it comes from; fewer than asked for where there are no more.

    Args:
        query: What is asked.
        rights: Right answers.
        source: The index.
        settings: How many of which.
        guard: Turns away what is probably right.
        teacher: Vetoes what it prefers to the right answers, and proposes what it ranks highest of the others.
    """
    chance = random.Random(f"{settings.seed}/{query.query_id}")
    lists = _lists(query, source, settings, chance)
    if teacher is not None:
        lists = _taught(query, rights, lists, settings, guard, teacher, chance)
    quotas = settings.quotas([*lists, "random"])
    hand = _Hand(guard, (said(candidate.passage) for candidate in rights))
    for origin, pool in lists.items():
        hand.take(origin, pool, quotas[origin])
    for origin, pool in lists.items():  # where one list is too short, the others make up for it
        hand.take(origin, pool, settings.negatives - quotas["random"] - len(hand.drawn))
    missing = settings.negatives - len(hand.drawn)
    if missing and settings.random > 0:
        seed = blake2b(f"{settings.seed}/{query.query_id}".encode("utf-8", "replace"), digest_size=4).digest()
        hand.take("random", source.random(query.query, 4 * missing, int.from_bytes(seed, "big")), missing)
    return hand.drawn


class _Hand:
    """What was drawn: no text twice, and nothing that the guard turns away."""

    def __init__(self, guard: Guard, texts: Iterable[str]) -> None:
        self.drawn: Drawn = []
        self._guard = guard
        self._met: set[tuple[str, int]] = set()
        self._texts = set(texts)

    def take(self, origin: Origin, pool: Iterable[Candidate], wanted: int) -> None:
        for candidate in pool:
            if wanted <= 0:
                return
            if candidate.key in self._met:
                continue
            self._met.add(candidate.key)
            text = said(candidate.passage)
            if text not in self._texts and self._guard.allows(candidate):
                self._texts.add(text)
                self.drawn.append((origin, candidate))
                wanted -= 1


def _lists(
    query: JudgedQuery, source: CandidateSource, settings: MiningSettings, chance: random.Random
) -> dict[Origin, list[Candidate]]:
    """Return the lists of an index in the order in which they are drawn from: by chance, high ranks likelier first."""
    skip, depth = settings.guard.skip, settings.depth
    found = source.search(query.query, depth)

    def shuffled(ranked: Iterable[tuple[int, Candidate]]) -> list[Candidate]:
        # Efraimidis and Spirakis (2006): sampling without replacement with weights, as one sort.
        keys = [
            (-math.log(1.0 - chance.random()) * rank**settings.steepness, at, candidate)
            for at, (rank, candidate) in enumerate(ranked)
            if skip < rank <= depth
        ]
        return [candidate for _, _, candidate in sorted(keys, key=lambda key: key[:2])]

    lists: dict[Origin, list[Candidate]] = {
        "lexical": shuffled((candidate.lexical_rank, candidate) for candidate in found),
        "dense": shuffled((candidate.dense_rank, candidate) for candidate in found),
        "fused": shuffled((candidate.fused_rank, candidate) for candidate in found),
    }
    if query.probe and settings.near:
        lists["near"] = shuffled(enumerate(source.near(query.query, query.probe, depth), 1))
    return lists


def _taught(
    query: JudgedQuery,
    rights: Sequence[Candidate],
    lists: dict[Origin, list[Candidate]],
    settings: MiningSettings,
    guard: Guard,
    teacher: PairScorer,
    chance: random.Random,
) -> dict[Origin, list[Candidate]]:
    """Return the lists without what the teacher prefers to the right answers, and its own list, hardest first."""
    every = {candidate.key: candidate for pool in lists.values() for candidate in pool}
    scored = [candidate for candidate in every.values() if guard.allows(candidate)]
    if len(scored) > settings.teacher_depth:
        scored = chance.sample(scored, settings.teacher_depth)
    passages = [concealed(candidate.passage, query.shown) for candidate in (*rights, *scored)]
    scores = teacher.score(query.query, passages).tolist()
    best, rest = max(scores[: len(rights)]), scores[len(rights) :]
    limit = math.inf if settings.teacher_margin is None else best - settings.teacher_margin
    vetoed = {candidate.key for candidate, score in zip(scored, rest, strict=True) if score > limit}
    guard.refused["teacher prefers it"] += len(vetoed)
    order = sorted(range(len(scored)), key=lambda at: (-rest[at], at))
    favourites: dict[Origin, list[Candidate]] = {"teacher": [scored[at] for at in order]}
    return {
        origin: [candidate for candidate in pool if candidate.key not in vetoed]
        for origin, pool in (lists | favourites).items()
    }
