"""A small world of readers whose tastes are known, and systems that are personal, or pretend to be."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from engine.event import Event
from eval.collection import Judgements, Topic
from eval.personal import Histories, RunMaker
from eval.run import Run, in_given_order

SUBJECTS, PER_SUBJECT, READERS, NEW = 6, 20, 60, 12


@dataclass(frozen=True)
class World:
    """Sixty readers of six subjects, each asking two ambiguous questions; twelve of them have no history.

    The answer to a question is three documents of the reader's own subject; the subject's first document is liked
    by all of its readers, and one in three questions has document `hit` for an answer besides, that everybody likes.
    """

    topics: Mapping[str, Topic]
    judgements: Judgements
    events: list[Event]
    anonymous: Run

    def maker(self, score: Callable[[str, str, Histories], float]) -> RunMaker:
        """Return a system that adds `score(query, document, histories)` to the anonymous scores, which differ by 1."""

        def make(histories: Histories) -> Run:
            rankings = {}
            for query_id, ranking in self.anonymous.rankings.items():
                scored = {
                    doc_id: place + score(query_id, doc_id, histories)
                    for place, doc_id in zip(range(len(ranking), 0, -1), ranking, strict=True)
                }
                ordered = sorted(scored.items(), key=lambda pair: (-pair[1], pair[0]))
                rankings[query_id] = in_given_order(ordered)
            return Run("personal", rankings)

        return make

    def by_taste(self, query_id: str, doc_id: str, histories: Histories) -> float:
        """Raise documents of the subject that the history is about: what a good system does."""
        subjects = [event.doc_id.split("-")[0] for event in histories[query_id]]
        return 40.0 if subjects.count(doc_id.split("-")[0]) * 2 > len(subjects) > 0 else 0.0

    def by_popularity(self, _: str, doc_id: str, __: Histories) -> float:
        """Raise what many readers met, whoever asks."""
        return 10.0 * sum(event.doc_id == doc_id for event in self.events)

    def by_quality(self, query_id: str, doc_id: str, _: Histories) -> float:
        """Rank better for everyone: know what is right without knowing who asks, half of the time."""
        relevant = self.judgements.qrels[query_id].get(doc_id, 0) > 0
        return 60.0 if relevant and hash_of(doc_id) % 2 else 0.0

    def by_leak(self, query_id: str, doc_id: str, histories: Histories) -> float:
        """Raise the very documents that are in the history: those held out too, where they have leaked into it."""
        return 300.0 if any(event.doc_id == doc_id for event in histories[query_id]) else 0.0


def hash_of(text: str) -> int:
    """Return a number that is the same at every run."""
    return sum(map(ord, text))


@pytest.fixture(scope="session")
def world() -> World:
    choose = random.Random(4)
    documents = [f"s{s}-{n}" for s in range(SUBJECTS) for n in range(PER_SUBJECT)] + ["hit"]
    events, topics, qrels, rankings = [], {}, {}, {}
    for number in range(READERS):
        user, subject = f"u{number:02}", number % SUBJECTS
        own = [f"s{subject}-{n}" for n in range(1, PER_SUBJECT)]
        choose.shuffle(own)
        if number >= NEW:
            read = [f"s{subject}-0", *own[: choose.randint(2, 8)]]
            events += [Event(user, doc_id) for doc_id in read]
            events += [Event(user, "hit")] if number % 3 else []
        for question in range(2):
            query_id = f"q{number:02}-{question}"
            topics[query_id] = Topic(query_id, "ambiguous", user)
            relevant = own[10 + 3 * question : 13 + 3 * question]
            qrels[query_id] = dict.fromkeys(relevant, 1) | ({"hit": 1} if number % 3 == 0 else {})
            shuffled = list(documents)
            choose.shuffle(shuffled)
            rankings[query_id] = in_given_order(
                (doc_id, float(-place)) for place, doc_id in enumerate(shuffled)
            )
    return World(topics, Judgements(qrels), events, Run("anonymous", rankings))
