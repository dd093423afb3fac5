"""From which lists wrong answers are drawn: words, meaning, both, neighbours, the teacher's favourites, chance."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from hashlib import blake2b

from reranker.data.candidates import Candidate, CandidateSource
from reranker.data.concealing import concealed
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
    lists = _lists(query, source, settings, guard)
    for pool in lists.values():
        chance.shuffle(pool)
    if teacher is not None:
        lists = _taught(query, rights, lists, settings, guard, teacher, chance)
    quotas = settings.quotas([*lists, "random"])
    hand = _Hand(candidate.passage.text for candidate in rights)
    for origin, pool in lists.items():
        hand.take(origin, pool, quotas[origin])
    for origin, pool in lists.items():  # where one list is too short, the others make up for it
        hand.take(origin, pool, settings.negatives - quotas["random"] - len(hand.drawn))
    missing = settings.negatives - len(hand.drawn)
    if missing and settings.random > 0:
        seed = blake2b(f"{settings.seed}/{query.query_id}".encode("utf-8", "replace"), digest_size=4).digest()
        by_chance = source.random(query.query, 4 * missing, int.from_bytes(seed, "big"))
        hand.take("random", (candidate for candidate in by_chance if guard.allows(candidate)), missing)
    return hand.drawn


class _Hand:
    """What was drawn; no text twice."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.drawn: Drawn = []
        self._texts = set(texts)

    def take(self, origin: Origin, pool: Iterable[Candidate], wanted: int) -> None:
        if wanted <= 0:
            return
        for candidate in pool:
            if candidate.passage.text not in self._texts:
                self._texts.add(candidate.passage.text)
                self.drawn.append((origin, candidate))
                wanted -= 1
                if not wanted:
                    return


def _lists(
    query: JudgedQuery, source: CandidateSource, settings: MiningSettings, guard: Guard
) -> dict[Origin, list[Candidate]]:
    skip, depth = settings.guard.skip, settings.depth
    found = [*source.search(query.query, depth)]
    near = [*source.near(query.query, query.probe, depth)][skip:] if query.probe and settings.near else []
    wanted = {candidate.key: candidate for candidate in near}
    wanted |= {
        candidate.key: candidate
        for candidate in found
        if max(candidate.lexical_rank, candidate.dense_rank, candidate.fused_rank) > skip
    }
    allowed = {key: candidate for key, candidate in wanted.items() if guard.allows(candidate)}

    def ranked(name: str) -> list[Candidate]:
        return [candidate for candidate in allowed.values() if skip < getattr(candidate, name) <= depth]

    lists: dict[Origin, list[Candidate]] = {
        "lexical": ranked("lexical_rank"),
        "dense": ranked("dense_rank"),
        "fused": ranked("fused_rank"),
    }
    if near:
        lists["near"] = [allowed[candidate.key] for candidate in near if candidate.key in allowed]
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
    scored = list({candidate.key: candidate for pool in lists.values() for candidate in pool}.values())
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
