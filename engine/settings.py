"""How a search is done: `SearchSettings`, checked when made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from hashlib import blake2b
from typing import Literal, TypeAlias, get_args

from engine.errors import InvalidSearchSettings

Fusion: TypeAlias = Literal["convex", "rrf", "combsum", "combmnz", "dbsf"]
Grouping: TypeAlias = Literal["max", "mean", "sum"]

NO_RERANKER = "none"
"""In place of a cross-encoder's name: none is asked."""


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """How candidates are found, fused, grouped, looked at again, and shown.

    Args:
        alpha: Weight of meaning (vectors) against words (BM25), from 0 (words alone) to 1 (meaning alone).
        depth: Passages that each of the two indexes proposes at first; grows by itself where k asks for more.
        fusion: How the two scores of a passage become one; `engine.fusion` describes each.
        rrf_k: The constant of reciprocal rank fusion.
        grouping: How passages' scores become a document's: its best, or the mean or sum of its best few.
        group_top: How many passages `mean` and `sum` look at.
        document_share: How much of the words' part of a score, from 0 to 1, is BM25 of the whole document; the rest
            is that of its passages. Counts with convex fusion only: for the others it has no effect.
        title_weight: Weight of BM25 in the title.
        headings_weight: Weight of BM25 in the headings above a passage.
        body_weight: Weight of BM25 in the passage itself.
        passages_per_hit: At most so many passages are shown of a document.
        snippet_chars: About so many characters of a passage are shown.
        diversity: From 0 (off) to 1: how much a document's likeness to those above it counts against it.
        facets: Metadata fields whose values are counted over the documents found.
        reranker: The cross-encoder that reads the first documents again: a folder, a model's name, `default` for the
            one in the package, or `none`.
        rerank_depth: How many documents the second stage looks at; 0 leaves it out altogether.
        rerank_passages: How many of a document's best passages the cross-encoder reads.
        late_weight: What late interaction is multiplied by, where the index keeps tokens' vectors; 0 leaves it out.
        gist_weight: What the likeness of the document as a whole to the query is multiplied by; 0 leaves it out.
        neighbours_weight: What the mean score of a document's nearest candidates is multiplied by; 0 leaves it out.
        rerank_weight: What the cross-encoder's score is multiplied by; 0 leaves it out.
        budget_ms: Milliseconds that a search may take, the stages before the cross-encoder included; it reads as many
            documents as there is time for, best first. None for no limit.

    Raises:
        InvalidSearchSettings: a value is of the wrong type or outside its range.
    """

    alpha: float = 0.55
    depth: int = 200
    fusion: Fusion = "convex"
    rrf_k: int = 60
    grouping: Grouping = "max"
    group_top: int = 3
    document_share: float = 0.5
    title_weight: float = 0.5
    headings_weight: float = 0.5
    body_weight: float = 1.0
    passages_per_hit: int = 3
    snippet_chars: int = 300
    diversity: float = 0.0
    facets: tuple[str, ...] = ()
    reranker: str = NO_RERANKER
    rerank_depth: int = 50
    rerank_passages: int = 1
    late_weight: float = 1.0
    gist_weight: float = 0.2
    neighbours_weight: float = 0.5
    rerank_weight: float = 0.05
    budget_ms: int | None = None

    def __post_init__(self) -> None:
        for name in ("alpha", "document_share", "diversity"):
            check_number(name, getattr(self, name), 0.0, 1.0)
        for name in ("title_weight", "headings_weight", "body_weight"):
            check_number(name, getattr(self, name), 0.0, 1000.0)
        for name in ("late_weight", "gist_weight", "neighbours_weight", "rerank_weight"):
            check_number(name, getattr(self, name), 0.0, 100.0)
        if self.title_weight == self.headings_weight == self.body_weight == 0:
            raise InvalidSearchSettings("title_weight, headings_weight and body_weight are all 0; raise one")
        check_whole("depth", self.depth, 1, 1_000_000)
        check_whole("rrf_k", self.rrf_k, 1, 1_000_000)
        check_whole("group_top", self.group_top, 1, 1000)
        check_whole("passages_per_hit", self.passages_per_hit, 1, 100)
        check_whole("snippet_chars", self.snippet_chars, 20, 10_000)
        check_whole("rerank_depth", self.rerank_depth, 0, 1000)
        check_whole("rerank_passages", self.rerank_passages, 1, 10)
        if self.budget_ms is not None:
            check_whole("budget_ms", self.budget_ms, 0, 3_600_000)
        if not isinstance(self.reranker, str) or not self.reranker.strip():
            raise InvalidSearchSettings(
                f"reranker is the name or path of a model, `default` or `none`, found {self.reranker!r:.40}"
            )
        _choice("fusion", self.fusion, get_args(Fusion))
        _choice("grouping", self.grouping, get_args(Grouping))
        facets: object = self.facets
        if not isinstance(facets, list | tuple) or not all(isinstance(name, str) for name in facets):
            raise InvalidSearchSettings(f"facets is a list of field names, found {facets!r:.80}")
        object.__setattr__(self, "facets", tuple(facets))

    @property
    def fingerprint(self) -> str:
        """A short hash that changes with any value."""
        values = asdict(self)
        for field in fields(self):
            if field.type == "float":
                values[field.name] = float(values[field.name])
        return blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=8).hexdigest()


def check_number(name: str, value: object, low: float, high: float) -> None:
    """Make sure that a setting is a number of this range.

    Raises:
        InvalidSearchSettings: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InvalidSearchSettings(f"{name} is a number from {low:g} to {high:g}, found {value!r:.40}")


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Make sure that a setting is a whole number of this range.

    Raises:
        InvalidSearchSettings: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InvalidSearchSettings(f"{name} is a whole number from {low} to {high:,}, found {value!r:.40}")


def _choice(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise InvalidSearchSettings(f"{name} is one of {', '.join(choices)}; found {value!r:.40}")
