"""What a search takes and gives."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from engine.service.api.schemas.parts import HitOut
from engine.service.api.schemas.strict import Address, Given, Taken, exampled

FieldName = Annotated[str, Field(min_length=1, max_length=200)]
QueryText = Annotated[
    str,
    Field(
        max_length=100_000,
        description='Words and operators: `turbine +blade "boundary layer" year:>=1960`. The service takes '
        "`max_query_chars` characters, 2,000 as a rule.",
        examples=["how do wings keep from fluttering"],
    ),
]
K = Annotated[
    int,
    Field(ge=0, le=10_000, description="How many results; the service gives `max_k` at most, 100 as a rule."),
]
Cursor = Annotated[
    str,
    Field(
        min_length=1,
        max_length=1_000_000,
        description="`cursor` of the page before, for the next one; everything else as on that page.",
    ),
]
Sort = Annotated[
    str,
    Field(
        max_length=200,
        description="A metadata field to order by, `-year` for the greatest first; empty for by score.",
        examples=["-year"],
    ),
]
RerankDepth = Annotated[
    int,
    Field(
        ge=0,
        le=1000,
        description="How many documents are looked at twice; 0 for the first stage alone, which is the quickest.",
    ),
]
Strength = Annotated[
    float,
    Field(ge=0, le=10, description="How much the reader's interests count: 1 as configured, 0 not at all."),
]


class SearchIn(Taken):
    """A question."""

    model_config = exampled(
        {
            "query": "how do wings keep from fluttering",
            "k": 5,
            "filters": {"lang": "en", "year": {"gte": 1950}},
            "facets": ["year"],
        }
    )

    query: QueryText
    k: K = 10
    filters: Annotated[
        dict[str, Any] | None,
        Field(
            description="Which documents may answer, by their metadata: a field with a value, a list of values, or "
            "`gte`, `gt`, `lte`, `lt`, `in`, `exists`; `and`, `or`, `not` put such objects together.",
            examples=[{"lang": "en", "year": {"gte": 2000}, "not": {"withdrawn": {"exists": True}}}],
        ),
    ] = None
    sort: Sort = ""
    cursor: Cursor | None = None
    facets: Annotated[
        list[FieldName] | None,
        Field(max_length=10, description="Fields whose values are counted over all documents found."),
    ] = None
    strength: Strength = 1.0
    operators: Annotated[
        bool,
        Field(
            description="Whether quotes, signs and `field:` in the query mean something; false for pasted prose."
        ),
    ] = True
    rerank_depth: RerankDepth | None = None
    alpha: Annotated[
        float | None,
        Field(ge=0, le=1, description="The weight of meaning against words: 0 words alone, 1 meaning alone."),
    ] = None
    diversity: Annotated[
        float | None,
        Field(ge=0, le=1, description="How much likeness to documents above counts against one."),
    ] = None
    passages: Annotated[
        int | None, Field(ge=1, le=20, description="Passages shown of a document, at most.")
    ] = None
    snippet_chars: Annotated[
        int | None, Field(ge=20, le=5000, description="About how many characters of a passage are shown.")
    ] = None
    explain: Annotated[
        bool, Field(description="Whether each hit's account says what every word of the query adds.")
    ] = False
    paging: Annotated[
        bool,
        Field(description="Whether `cursor` is wanted; without, the answer is some milliseconds quicker."),
    ] = True
    marks: Annotated[
        bool,
        Field(
            description="Whether each passage says which of its sentences is nearest to the query (`mark`)."
        ),
    ] = False


class FromAddress(Address):
    """A question in the query string of an address."""

    q: QueryText
    k: K = 10
    sort: Sort = ""
    cursor: Cursor | None = None
    facet: Annotated[
        list[FieldName],
        Field(
            default_factory=list,
            max_length=10,
            description="A field whose values are counted; may be repeated.",
        ),
    ]
    strength: Strength = 1.0
    rerank_depth: RerankDepth | None = None
    explain: bool = False
    paging: bool = True
    marks: bool = False

    def as_body(self) -> SearchIn:
        """Return the same as a body asks it."""
        said = {name: getattr(self, name) for name in self.model_fields_set - {"q", "facet"}}
        return SearchIn(query=self.q, facets=self.facet or None, **said)


class FacetValue(Given):
    """A value of a field, with how many of the documents found have it."""

    value: str | int | float | bool
    count: int


class RankingOut(Given):
    """A page of results, best first."""

    model_config = exampled(
        {
            "query": "flutter",
            "k": 1,
            "found": 57,
            "reranked_depth": 0,
            "hits": [
                {
                    "doc_id": "papers/flutter.md",
                    "score": 2.80075,
                    "rank": 1,
                    "title": "Flutter of swept wings",
                    "source": "papers/flutter.md",
                    "metadata": {"year": 1962, "authors": ["A. Meyer"]},
                    "passages": [
                        {
                            "start": 343,
                            "end": 499,
                            "headings": ["Flutter of swept wings", "Onset"],
                            "page": 3,
                            "score": 0.6442728,
                            "snippet": {
                                "text": "Flutter sets in where the wing's two motions meet.",
                                "start": 343,
                                "end": 393,
                                "highlights": [[343, 350]],
                                "cut_before": False,
                                "cut_after": True,
                            },
                        }
                    ],
                    "ledger": {
                        "terms": [
                            {"name": "words", "value": 0.45, "detail": "BM25 3.993 of at most 9.529"},
                            {"name": "meaning", "value": 2.35075, "detail": "cosine 0.713 of at most 0.713"},
                        ],
                        "bm25": 3.99256,
                        "cosine": 0.71346,
                        "document_bm25": 4.06051,
                        "ranks": {
                            "lexical": 2,
                            "dense": 1,
                            "fused": 1,
                            "reranked": 1,
                            "anonymous": 2,
                        },
                        "bounds": {
                            "bm25": 9.529,
                            "cosine": 0.71346,
                            "unrelated_cosine": 0.099,
                            "document_bm25": 0.0,
                        },
                        "alpha": 0.55,
                        "fusion": "convex",
                        "grouping": "max",
                        "words": [],
                        "tokens_cut": 0,
                        "because": [],
                    },
                }
            ],
            "notices": [],
            "degraded": [],
            "suggestions": [],
            "facets": {},
            "cursor": "50.eJztms2SZTcNx18.5b0f2c91d07e4a6688c1f3ab",
            "generation": 2,
            "timings_ms": {"encode": 4.2, "fuse": 1.1},
        }
    )

    query: str = Field(examples=["how do wings keep from fluttering"])
    k: int
    found: int = Field(description="Documents in the list that this is a page of.")
    reranked_depth: int = Field(description="Documents that the cross-encoder read.")
    hits: list[HitOut]
    notices: list[str] = Field(description="What the reader should know of this answer, in sentences.")
    degraded: list[str] = Field(
        description="What was done less well than was asked for want of time; part of `notices`."
    )
    suggestions: list[str] = Field(description="Queries that were perhaps meant.")
    facets: dict[str, list[FacetValue]]
    cursor: str | None = Field(
        description="Asks for the next page; null on the last, and where `paging` is false."
    )
    generation: int = Field(description="The index's generation; it grows with every change.")
    timings_ms: dict[str, float] = Field(description="Milliseconds by stage.")
