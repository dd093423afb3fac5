"""Searching, and what helps with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.service.client.answers.search import Ranking
from engine.service.client.call import Call


@dataclass(frozen=True, slots=True)
class Beat:
    """One event of a search that is told as it goes on.

    Args:
        event: `first` for the order of the first stage, `ranking` for the one that stays.
        data: The results.
    """

    event: str
    data: Ranking


def search(
    query: str,
    *,
    k: int = 10,
    filters: Mapping[str, object] | None = None,
    sort: str = "",
    cursor: str | None = None,
    facets: Sequence[str] | None = None,
    strength: float = 1.0,
    operators: bool = True,
    rerank_depth: int | None = None,
    alpha: float | None = None,
    diversity: float | None = None,
    passages: int | None = None,
    snippet_chars: int | None = None,
    explain: bool = False,
    marks: bool = False,
    paging: bool = True,
) -> Call[Ranking]:
    """Return the documents that answer a query best, and what speaks for each. Needs the scope `search`.

    Args:
        query: Words and operators: `turbine +blade "boundary layer" year:>=1960`.
        k: How many results.
        filters: Which documents may answer, by their metadata: {"lang": "en", "year": {"gte": 2000}}.
        sort: A metadata field to order by, `-year` for the greatest first; empty for by score.
        cursor: `Ranking.cursor` of the page before, for the next; everything else as on that page.
        facets: Fields whose values are counted over all documents found.
        strength: How much the reader's interests count, from 0 (not at all) to 10.
        operators: Whether quotes, signs and `field:` in the query mean something.
        rerank_depth: How many documents are looked at twice; None for as many as the service is configured for.
        alpha: The weight of meaning against words, from 0 to 1; None for as configured.
        diversity: How much likeness to documents above counts against one, from 0 to 1; None for as configured.
        passages: Passages shown of a document, at most; None for as configured.
        snippet_chars: About how many characters of a passage are shown; None for as configured.
        explain: Whether each hit's account says what every word of the query adds.
        marks: Whether each passage says which of its sentences is nearest to the query.
        paging: Whether `Ranking.cursor` is wanted; without, the answer is some milliseconds quicker.
    """
    optional = {
        "filters": filters,
        "cursor": cursor,
        "facets": None if facets is None else list(facets),
        "rerank_depth": rerank_depth,
        "alpha": alpha,
        "diversity": diversity,
        "passages": passages,
        "snippet_chars": snippet_chars,
    }
    body: dict[str, object] = {
        "query": query,
        "k": k,
        "sort": sort,
        "strength": strength,
        "operators": operators,
        "explain": explain,
        "marks": marks,
        "paging": paging,
    }
    body |= {name: value for name, value in optional.items() if value is not None}
    return Call("POST", "/v1/search", Ranking, body=body, repeatable=True)


def stream(
    query: str,
    *,
    k: int = 10,
    filters: Mapping[str, object] | None = None,
    sort: str = "",
    facets: Sequence[str] | None = None,
    strength: float = 1.0,
    operators: bool = True,
    explain: bool = False,
    marks: bool = False,
) -> Call[Beat]:
    """Yield the first stage's results at once, and the order that stays when it is ready. Needs the scope `search`.

    Args:
        query: As for `search`, and so are the others.
        k: How many results.
        filters: Which documents may answer.
        sort: A metadata field to order by.
        facets: Fields whose values are counted.
        strength: How much the reader's interests count.
        operators: Whether quotes, signs and `field:` in the query mean something.
        explain: Whether each hit's account says what every word of the query adds.
        marks: Whether each passage says which of its sentences is nearest to the query.
    """
    asked = search(
        query,
        k=k,
        filters=filters,
        sort=sort,
        facets=facets,
        strength=strength,
        operators=operators,
        explain=explain,
        marks=marks,
    )
    return Call("POST", "/v1/search/stream", Beat, body=asked.body, repeatable=True)
