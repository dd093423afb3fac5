"""Recommending without a query: what a reader may want to read next, why, and what stands in where that is not known.

A reader's interests propose the documents nearest to each of them, other readers' reading what goes with the past. All
get their exact value (`engine.personal.worth`), and what is like others above it comes later (`diversify`). Where that
gives too few, what most readers read stands in, then what is newest (`engine.everyone`), and a notice says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from engine.diversity import diversify
from engine.errors import InvalidQuery
from engine.everyone import date_field, newest, popular
from engine.ledger import DECIMALS
from engine.query import check_k
from engine.ranking import order_documents
from engine.recommendations import Origin, Recommendation, Recommendations
from indexer.filters import Filter
from indexer.protocol import IndexReader, Numbers, Selection

if TYPE_CHECKING:
    from engine.personal.interests import Interests
    from engine.personal.readers import Readers

DIVERSITY = 0.2
"""Costs nothing that could be measured, and makes lists less alike (benchmarks/recommendation.py)."""
_DEPTH = 300  # passages that each interest proposes


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """What is known of a reader, and of others.

    Args:
        interests: What they like and dislike; None for somebody unknown.
        store: What all readers did; None where nothing was ever recorded.
        dislikes: How much dislikes take.
    """

    interests: Interests | None = None
    store: Readers | None = None
    dislikes: float = 0.5


def recommend(
    reader: IndexReader,
    user_id: str,
    past: Past,
    k: int = 10,
    *,
    filters: Filter | None = None,
    diversity: float = DIVERSITY,
    include_read: bool = False,
) -> Recommendations:
    """Return up to k documents that a reader may want to read next.

    Args:
        reader: The index.
        user_id: Who.
        past: What is known of them.
        k: How many.
        filters: Which documents may come; None for all.
        diversity: From 0 (each for itself) to 1: how much less a document is worth for being like those above it.
        include_read: Whether documents that the reader has met may come again; those they hid or disliked never do.

    Raises:
        InvalidQuery: `k` or `diversity` cannot be used.
        InvalidFilter: the filter names an unknown field, or compares it with the wrong type.
    """
    check_k(k)
    if isinstance(diversity, bool) or not isinstance(diversity, int | float) or not 0 <= diversity <= 1:
        raise InvalidQuery(f"diversity is a number from 0 to 1, found {diversity!r:.40}")
    selection = reader.select(filters) if filters is not None else None
    interests = past.interests
    left_out = frozenset[str]()
    if interests is not None:
        left_out = interests.hidden.union(interests.disliked.names, () if include_read else interests.met)
    items = _for_interests(reader, past, k, left_out, selection, diversity)
    shares = Counter(item.interest for item in items)
    notices: list[str] = []
    if len(items) < k:
        taken = {item.doc_id for item in items} | left_out
        fill, notices = _for_everyone(reader, past.store, k - len(items), taken, filters, selection)
        notices.insert(0, _why_filled(user_id, past, len(items)))
        items += fill
    return Recommendations(
        user_id=user_id,
        items=tuple(replace(item, rank=rank) for rank, item in enumerate(_titled(reader, items), 1)),
        notices=tuple(notices),
        shares=MappingProxyType(dict(shares.most_common())),
    )


def _why_filled(user_id: str, past: Past, own: int) -> str:
    if past.interests is None or past.interests.evidence <= 0:
        return f"Nothing is known of what {user_id!r:.80} likes."
    if own:
        return f"Only {own:,} of these {'goes' if own == 1 else 'go'} with what {user_id!r:.80} likes."
    return f"Nothing that may come goes with what {user_id!r:.80} likes."


def _for_interests(
    reader: IndexReader,
    past: Past,
    k: int,
    left_out: Collection[str],
    selection: Selection | None,
    diversity: float,
) -> list[Recommendation]:
    """Return the documents that go with a reader's interests, best first."""
    interests = past.interests
    if interests is None or k == 0 or interests.evidence <= 0:
        return []
    from engine.personal.together import neighbours
    from engine.personal.worth import worth

    points = interests.points
    met = [name for name, kind in zip(points.names, points.kinds, strict=True) if kind]
    others = None if past.store is None else neighbours(past.store, met)
    found = worth(reader, interests, others, past.dislikes, max(_DEPTH, 10 * k), left_out, selection)
    order = [at for at in order_documents(found.values.tolist(), found.doc_ids) if found.values[at] > 0]
    order = order[: max(50, 5 * k)]
    if not order:
        return []
    relevance = found.values[order] / found.values[order[0]]
    places, penalties = list(range(len(order))), [0.0] * len(order)
    if diversity > 0:
        names = [found.doc_ids[at] for at in order]
        places, penalties = diversify(relevance, found.vectors[order], names, diversity)
    best = [order[place] for place in places[:k]]
    scores = ((1 - diversity) * relevance[places] + np.array(penalties)).round(DECIMALS).tolist()
    items = _items(reader, found.documents[best], scores[:k], "interests")
    return [
        replace(item, interest=found.interest(at), because=found.because(at))
        for item, at in zip(items, best, strict=True)
    ]


def _for_everyone(
    reader: IndexReader,
    store: Readers | None,
    wanted: int,
    taken: Collection[str],
    filters: Filter | None,
    selection: Selection | None,
) -> tuple[list[Recommendation], list[str]]:
    """Return what stands in for documents that go with a reader's interests, and what to say of it."""
    fill: list[Recommendation] = []
    notices = []
    if store is not None:
        numbers, readers = popular(reader, store, wanted, taken, selection)
        popular_items = _items(reader, numbers, [float(count) for count in readers], "popular")
        fill += [replace(item, readers=count) for item, count in zip(popular_items, readers, strict=True)]
    if fill:
        notices.append(f"{len(fill):,} of these {'is' if len(fill) == 1 else 'are'} what most readers read.")
    else:
        notices.append("What readers read has not been learnt (`quire learn`), or nothing of it may come.")
    field = date_field(reader)
    if len(fill) < wanted and not field:
        notices.append("No field holds dates, so nothing is known to be new.")
    elif len(fill) < wanted:
        taken = {*taken, *(item.doc_id for item in fill)}
        numbers, dates = newest(reader, wanted - len(fill), taken, filters, field)
        recent = _items(reader, numbers, [float(day.toordinal()) for day in dates], "recent")
        fill += [replace(item, dated=day) for item, day in zip(recent, dates, strict=True)]
        if recent:
            notices.append(
                f"{len(recent):,} of these {'is' if len(recent) == 1 else 'are'} new, by {field!r}."
            )
    return fill, notices


def _items(
    reader: IndexReader, documents: Numbers, scores: Sequence[float], origin: Origin
) -> list[Recommendation]:
    return [
        Recommendation(
            doc_id=document.doc_id,
            score=score,
            rank=0,
            title=document.title,
            source=document.source,
            metadata=MappingProxyType(dict(document.metadata)),
            origin=origin,
        )
        for document, score in zip(reader.documents(documents), scores, strict=True)
    ]


def _titled(reader: IndexReader, items: Sequence[Recommendation]) -> list[Recommendation]:
    """Return the recommendations with the titles of the documents that they rest on, where the index has them."""
    doc_ids = list(dict.fromkeys(one.doc_id for item in items for one in item.because if one.doc_id))
    numbers = reader.find_all(doc_ids)
    titles = {document.doc_id: document.title for document in reader.documents(numbers[numbers >= 0])}
    return [
        replace(
            item, because=tuple(replace(one, title=titles.get(one.doc_id, one.title)) for one in item.because)
        )
        for item in items
    ]
