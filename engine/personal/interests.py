"""Interests: the few vectors that stand for what a reader likes, each around a document that they really met.

A pure function of the set of events: `interests_of` gives the same for the same events, in whichever order they came.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from engine.fusion import Floats
from engine.ledger import Because
from engine.personal.medoids import medoids
from engine.personal.settings import PersonalSettings
from engine.personal.weighing import Weighed
from indexer.encoding import Vectors
from indexer.protocol import Numbers

HEAVIEST = 256
"""So many documents of a history, the heaviest, are what interests are made of."""
DISLIKED = 64
DECLARED_WEIGHT = 2.0
"""What a declared interest counts, in documents read."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class Stated:
    """An interest in the reader's own words, as the encoder understands it.

    Args:
        text: The words.
        weight: How much it counts, beside others declared.
        at: When it was declared, in seconds since 1970; NaN where that is not known.
        vector: A unit vector, shape (dim,); None where the encoder made none of it.
    """

    text: str
    weight: float
    at: float
    vector: Vectors | None


@dataclass(frozen=True, slots=True, eq=False)
class Interest:
    """One thing that a reader is interested in.

    Args:
        name: The document in the middle of it, by its id; or the words that were declared.
        declared: Whether the reader declared it.
        weight: Its share of all interest, 0 to 1; 0 when it is muted.
        session: Which part of that is due to the last while.
        muted: Whether the reader turned it off.
        documents: The documents of the history that belong to it, the heaviest first; none for a declared one.
        at: When the reader last did something with one of these, in seconds since 1970; NaN where that is not known.
        vector: A unit vector, shape (dim,); zeros where there is none.
    """

    name: str
    declared: bool
    weight: float
    session: float
    muted: bool
    documents: tuple[str, ...]
    at: float
    vector: Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """What interests rest on, one by one: documents of the history, ascending by id, then what was declared.

    Args:
        names: Their ids, or the words.
        vectors: Unit vectors, shape (n, dim).
        weights: Shares of all interest, shape (n,), adding up to 1, or all 0; 0 in a muted interest.
        interest: To which interest each belongs, shape (n,).
        kinds: What the reader last did with each; empty for what was declared.
        at: When, in seconds since 1970, or NaN; shape (n,).
    """

    names: tuple[str, ...]
    vectors: Vectors
    weights: Floats
    interest: Numbers
    kinds: tuple[str, ...]
    at: Floats

    def because(self, row: int, source: Literal["near", "together", "own"], value: float) -> Because:
        """Return one of these as a reason; of one that was declared, that it was."""
        kind, seconds = self.kinds[row], float(self.at[row])
        return Because(
            doc_id=self.names[row] if kind else "",
            title="" if kind else self.names[row],
            source=source if kind else "declared",
            value=round(value, 5),
            weight=round(float(self.weights[row]), 5),
            kind=kind,
            at=None if seconds != seconds else _EPOCH + timedelta(seconds=seconds),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Interests:
    """What a reader likes and dislikes.

    Args:
        likes: The interests, heaviest first, ties by name; muted ones among them.
        points: What they rest on; `Points.interest` counts in the order of `likes`.
        disliked: The documents that the reader disliked, heaviest first; their weights add up to 1, or there is none.
        evidence: How much the history weighs, in documents read just now; without what is muted.
        met: Ids of all documents that the reader did anything with.
        hidden: Ids of those that they want to see no more.
    """

    likes: tuple[Interest, ...]
    points: Points
    disliked: Points
    evidence: float
    met: frozenset[str]
    hidden: frozenset[str]

    @property
    def vectors(self) -> Vectors:
        """The vectors of the interests that count, heaviest first, shape (m, dim)."""
        dim = self.points.vectors.shape[1]
        heard = [one.vector for one in self.likes if one.weight > 0]
        return np.stack(heard) if heard else np.zeros((0, dim), dtype=np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class _Group:
    """Points that make an interest together: `members` are rows of the points."""

    name: str
    declared: bool
    muted: bool
    members: Numbers
    vector: Vectors


def interests_of(
    weighed: Weighed,
    declared: Sequence[Stated],
    muted: Collection[str],
    vectors_of: Callable[[Sequence[str]], Vectors],
    settings: PersonalSettings,
    unrelated: float = 0.0,
) -> Interests:
    """Return the interests that a reader's past speaks of.

    Args:
        weighed: The documents that they met, with what they count.
        declared: What they declared.
        muted: Names of interests that they turned off. A muted document stays the middle of an interest, so that what
            is read later does not turn it on again under another name.
        vectors_of: Gives unit vectors of documents by id, shape (n, dim); zeros for one that the index lacks.
        settings: Several interests or one, and how many at most.
        unrelated: The cosine of texts that have nothing to do with each other.
    """
    rows, vectors = _heaviest(weighed, weighed.weights, HEAVIEST, vectors_of)
    raw = weighed.weights[rows]
    names = [weighed.doc_ids[row] for row in rows]
    groups = _around_documents(names, vectors, raw, muted, settings, unrelated)
    spoken = sorted((one for one in declared if one.vector is not None), key=lambda one: one.text)
    for at, one in enumerate(spoken, len(names)):
        groups.append(_Group(one.text, True, one.text in muted, np.array([at]), _vector(one, vectors)))
    raw = np.concatenate([raw, [DECLARED_WEIGHT * one.weight for one in spoken]])
    heard = raw.copy()
    for group in groups:
        if group.muted:
            heard[group.members] = 0.0
    evidence = float(heard.sum())
    shares = heard / evidence if evidence > 0 else heard
    groups.sort(key=lambda group: (-round(float(shares[group.members].sum()), 9), group.name))
    belongs = np.zeros(len(raw), dtype=np.int64)
    for number, group in enumerate(groups):
        belongs[group.members] = number
    points = Points(
        names=(*names, *(one.text for one in spoken)),
        vectors=np.concatenate([vectors, *(_vector(one, vectors)[None] for one in spoken)]),
        weights=shares,
        interest=belongs,
        kinds=(*(weighed.kinds[row] for row in rows), *("" for _ in spoken)),
        at=np.concatenate([weighed.at[rows], [one.at for one in spoken]]),
    )
    lately = np.concatenate([weighed.session[rows], np.zeros(len(spoken))]) / np.maximum(raw, 1e-12)
    likes = [_interest(group, points, raw, lately) for group in groups]
    unread = sorted((one for one in declared if one.vector is None), key=lambda one: one.text)
    for one in unread:
        likes.append(Interest(one.text, True, 0.0, 0.0, one.text in muted, (), one.at, _vector(one, vectors)))
    return Interests(
        likes=tuple(likes),
        points=points,
        disliked=_disliked(weighed, vectors_of),
        evidence=evidence,
        met=frozenset(weighed.doc_ids),
        hidden=frozenset(name for name, gone in zip(weighed.doc_ids, weighed.hidden, strict=True) if gone),
    )


def _heaviest(
    weighed: Weighed, weights: Floats, most: int, vectors_of: Callable[[Sequence[str]], Vectors]
) -> tuple[list[int], Vectors]:
    """Return the rows of the documents of the highest positive weights that have a vector, by id, and the vectors."""
    order = np.lexsort((np.arange(len(weights)), -np.round(weights, 9)))
    order = order[weights[order] > 0]
    found: list[int] = []
    parts = [vectors_of([])]
    for start in range(0, len(order), most):
        piece = order[start : start + most]
        vectors = vectors_of([weighed.doc_ids[row] for row in piece])
        present = np.flatnonzero(vectors.any(axis=1))[: most - len(found)]
        found += piece[present].tolist()
        parts.append(vectors[present])
        if len(found) == most:
            break
    by_id = np.argsort(np.array(found, dtype=np.int64))
    return [found[at] for at in by_id], np.concatenate(parts)[by_id]


def _around_documents(
    names: list[str],
    vectors: Vectors,
    raw: Floats,
    muted: Collection[str],
    settings: PersonalSettings,
    unrelated: float,
) -> list[_Group]:
    if not names:
        return []
    if settings.interests == "mean":
        total = raw @ vectors
        length = float(np.linalg.norm(total))
        mean = (total / length if length > 1e-9 else np.zeros_like(total)).astype(np.float32)
        middle = names[int(np.argmax(np.round(vectors @ mean, 6)))]
        return [_Group(middle, False, middle in muted, np.arange(len(names)), mean)]
    forced = [at for at, name in enumerate(names) if name in muted]
    centres, belongs = medoids(vectors, raw, settings.most_interests, unrelated, forced)
    return [
        _Group(names[row], False, names[row] in muted, np.flatnonzero(belongs == number), vectors[row])
        for number, row in enumerate(centres.tolist())
    ]


def _interest(group: _Group, points: Points, raw: Floats, lately: Floats) -> Interest:
    """Return what the points of a group come to. Weights are as they were heard; the order is that of `raw`."""
    shares = points.weights[group.members]
    order = group.members[np.lexsort((group.members, -np.round(raw[group.members], 9)))]
    times = points.at[group.members]
    return Interest(
        name=group.name,
        declared=group.declared,
        weight=round(float(shares.sum()), 9),
        session=round(float((shares * lately[group.members]).sum()), 9),
        muted=group.muted,
        documents=() if group.declared else tuple(points.names[row] for row in order),
        at=float("nan") if np.isnan(times).all() else float(np.nanmax(times)),
        vector=group.vector,
    )


def _disliked(weighed: Weighed, vectors_of: Callable[[Sequence[str]], Vectors]) -> Points:
    rows, vectors = _heaviest(weighed, -weighed.weights, DISLIKED, vectors_of)
    against = -weighed.weights[rows]
    return Points(
        names=tuple(weighed.doc_ids[row] for row in rows),
        vectors=vectors,
        weights=against / against.sum() if rows else against,
        interest=np.arange(len(rows)),
        kinds=tuple(weighed.kinds[row] for row in rows),
        at=weighed.at[rows],
    )


def _vector(one: Stated, like: Vectors) -> Vectors:
    return np.zeros(like.shape[1], dtype=np.float32) if one.vector is None else one.vector
