"""What there is to recommend to somebody of whom nothing is known: what most readers read, then what is newest."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from indexer.filters import And, Filter, Range
from indexer.protocol import IndexReader, Numbers, Selection

if TYPE_CHECKING:
    from engine.personal.readers import Readers

DATE_FIELDS = ("date", "published", "posted", "created", "updated")
"""Of several fields with dates the first of these counts, or else the first by name."""
FEWEST_READERS = 2
"""Of what fewer have read nobody else is told: that would be telling them what one reader reads."""
_PASSAGES = 5000  # of the newest documents so many passages at most are looked at


def popular(
    reader: IndexReader,
    store: Readers,
    wanted: int,
    left_out: Collection[str],
    selection: Selection | None,
) -> tuple[Numbers, list[int]]:
    """Return the documents of the index that most readers read, two at least, and how many did; ties by id.

    Args:
        reader: The index.
        store: What readers did, as it was learnt last.
        wanted: How many documents at most.
        left_out: Ids of documents that are not to be among them.
        selection: Which documents may be; None for all.
    """
    from engine.personal.together import most_read

    ask = 4 * (wanted + len(left_out))
    while True:
        found = most_read(store, ask)
        open_to_all = [
            (doc_id, readers)
            for doc_id, readers in found
            if readers >= FEWEST_READERS and doc_id not in left_out
        ]
        numbers = reader.find_all([doc_id for doc_id, _ in open_to_all])
        may = numbers >= 0 if selection is None else selection.holds(numbers)
        kept = np.flatnonzero(may)[:wanted].tolist()
        if len(kept) == wanted or len(found) < ask or found[-1][1] < FEWEST_READERS:
            return numbers[kept], [open_to_all[at][1] for at in kept]
        ask *= 4


def date_field(reader: IndexReader) -> str:
    """Return the metadata field that says how new a document is; the empty string when no field holds dates."""
    dated = sorted(name for name, kinds in reader.fields().items() if "date" in kinds)
    return next((name for name in DATE_FIELDS if name in dated), dated[0] if dated else "")


def newest(
    reader: IndexReader, wanted: int, left_out: Collection[str], filters: Filter | None, field: str
) -> tuple[Numbers, list[date]]:
    """Return the documents with the latest dates, and the dates; ties by id. Documents without a vector are not seen.

    Args:
        reader: The index.
        wanted: How many documents at most.
        left_out: Ids of documents that are not to be among them.
        filters: Which documents may be; None for all.
        field: The metadata field that holds the dates.
    """
    today = datetime.now(UTC).date()

    def since(days: int) -> Filter:
        late = Range(field, gte=today - timedelta(days=days) if days < today.toordinal() else date.min)
        return late if filters is None else And((filters, late))

    def count(days: int) -> int:
        found = reader.select(since(days))
        return reader.document_count if found is None else found.count

    selection = reader.select(since(_window(count, wanted + len(left_out), today.toordinal())))
    documents = np.unique(reader.dense(reader.document_centre(), _PASSAGES, selection).documents)
    dated = []
    for stored in reader.documents(documents):
        value = stored.metadata.get(field)
        dates = [one for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, date)]
        if dates and stored.doc_id not in left_out:
            dated.append((-max(dates).toordinal(), stored.doc_id, stored.number))
    dated = sorted(dated)[:wanted]
    numbers = np.array([number for _, _, number in dated], dtype=np.int64)
    return numbers, [date.fromordinal(-less) for less, _, _ in dated]


def _window(count: Callable[[int], int], need: int, most: int) -> int:
    """Return a number of days that holds as many documents as needed, and not very many more where that can be had."""
    low, high = 0, 1
    while high < most and count(high) < need:
        low, high = high, min(2 * high, most)
    while high - low > 1 and count(high) > 4 * need:
        middle = (low + high) // 2
        low, high = (middle, high) if count(middle) < need else (low, middle)
    return high
