"""What two generations of an index differ in: both read in the order of documents' numbers, side by side.

A copy of a record carries the sequence number that the record had, as its external version. So a copy is told from
one of an earlier writing of the same document, even where both say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from indexer.elastic.rebuilding.generations import Generation
from indexer.elastic.rebuilding.scans import Moment
from indexer.elastic.wire.connection import Cluster

END = 1 << 62
"""Numbers of documents are below."""
_PAGE = 2_000


@dataclass(frozen=True, slots=True)
class Seen:
    """A document's record as one generation has it.

    Args:
        number: Of the document.
        content_hash: Of its content.
        write: Which writing of the record it is: in the old generation one more than its sequence number, in the new
            its version, which a copy takes over. 0 where only the content counts.
    """

    number: int
    content_hash: str
    write: int


def records_of(
    moment: Moment, first: int, end: int, *, copies: bool, content_only: bool = False
) -> Iterator[Seen]:
    """Yield the records with a number from `first` to below `end`, ascending.

    Args:
        moment: Of an index of documents.
        first: The least number.
        end: One past the highest.
        copies: Whether these are copies, whose version says what they are copies of.
        content_only: Whether only the content counts, since documents are written anew.
    """
    hits = moment.scan(
        {
            "bool": {
                "filter": [{"term": {"kind": "document"}}, {"range": {"number": {"gte": first, "lt": end}}}]
            }
        },
        ["number"],
        size=_PAGE,
        _source=False,
        stored_fields="_none_",
        docvalue_fields=["number", "content_hash"],
        version=True,
        seq_no_primary_term=True,
    )
    for hit in hits:
        fields = hit["fields"]
        write = 0 if content_only else int(hit["_version"]) if copies else int(hit["_seq_no"]) + 1
        yield Seen(int(fields["number"][0]), str(fields.get("content_hash", [""])[0]), write)


@dataclass(frozen=True, slots=True)
class Difference:
    """A document that differs: `wanted` where the old generation has it, `there` where the new one has something."""

    number: int
    wanted: bool
    there: bool


def differences(old: Iterator[Seen], new: Iterator[Seen]) -> Iterator[Difference]:
    """Yield the documents in which two generations differ, ascending; both given ascending."""
    left, right = next(old, None), next(new, None)
    while left is not None or right is not None:
        number = min(each.number for each in (left, right) if each is not None)
        wanted = left is not None and left.number == number
        there = right is not None and right.number == number
        if not (wanted and there and left == right):
            yield Difference(number, wanted, there)
        left = next(old, None) if wanted else left
        right = next(new, None) if there else right


def ranges(parts: int) -> list[tuple[int, int]]:
    """Return so many ranges that together hold every document's number; as these are hashes, about as many in each."""
    bounds = [END * at // parts for at in range(parts + 1)]
    return list(pairwise(bounds))


def missing_after(cluster: Cluster, left: Generation, counts: Generation) -> tuple[int, int]:
    """Return how far one generation is behind another: documents that it lacks or has otherwise, and has too many.

    Args:
        cluster: Where.
        left: The generation that was written to last.
        counts: The one that is asked about.
    """
    with Moment(cluster, left.documents) as old, Moment(cluster, counts.documents) as new:
        found = differences(
            records_of(old, 0, END, copies=False, content_only=True),
            records_of(new, 0, END, copies=True, content_only=True),
        )
        wanted = [each.wanted for each in found]
    return sum(wanted), len(wanted) - sum(wanted)
