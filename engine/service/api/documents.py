"""Documents: their text, those like them, their summaries. What adds and deletes them is in `jobs`."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as Parameter
from fastapi.responses import Response

from engine.errors import NoSuchDocument, SearchCancelled
from engine.search_engine import SearchEngine
from engine.service.api.answers import WITH_BODY, answered, dumped, problems
from engine.service.api.callers import Here, Searcher
from engine.service.api.schemas.documents import (
    SimilarAddress,
    SimilarOut,
    SummariesIn,
    SummariesOut,
    SummaryAddress,
    SummaryOut,
    TextAddress,
    TextOut,
)
from engine.service.asking import ask
from engine.service.limits import check_id, check_text, k_of
from engine.service.pool import Pressure

router = APIRouter(tags=["documents"])


@router.get("/documents/text", response_model=TextOut, responses=problems(404), operation_id="document_text")
async def text(asked: Annotated[TextAddress, Parameter()], service: Here, caller: Searcher) -> Response:
    """Return a stretch of a document's text, with the passages there.

    Needs the scope `search`. Offsets outside the text are taken as its ends.
    """
    check_id("id", asked.id)
    return answered(
        await ask(
            service,
            caller,
            lambda engine: dumped(engine.document(asked.id, start=asked.start, end=asked.end).to_json()),
        )
    )


@router.get(
    "/documents/similar", response_model=SimilarOut, responses=problems(404), operation_id="similar_documents"
)
async def similar(asked: Annotated[SimilarAddress, Parameter()], service: Here, caller: Searcher) -> Response:
    """Return the documents that are most like a given one.

    Needs the scope `search`.
    """
    check_id("id", asked.id)
    k = k_of(asked, service.settings)
    return answered(
        await ask(service, caller, lambda engine: dumped(engine.similar(asked.id, k=k).to_json()))
    )


@router.get(
    "/documents/summary", response_model=SummaryOut, responses=problems(404), operation_id="document_summary"
)
async def summary(asked: Annotated[SummaryAddress, Parameter()], service: Here, caller: Searcher) -> Response:
    """Return the sentences of a document that together say most of it, or most of what a query asks.

    Needs the scope `search`. With a reader's token, the summary leans to what interests the reader.
    """
    check_id("id", asked.id)
    check_text("q", asked.q, service.settings)

    def summed(engine: SearchEngine) -> bytes:
        return dumped(
            engine.summarise(
                asked.id,
                query=asked.q,
                user_id=caller.user_id,
                length=asked.length,
                sentences=asked.sentences,
            ).to_json()
        )

    return answered(await ask(service, caller, summed))


@router.post(
    "/summaries",
    response_model=SummariesOut,
    responses=WITH_BODY | problems(404),
    operation_id="document_summaries",
)
async def summaries(asked: SummariesIn, service: Here, caller: Searcher) -> Response:
    """Return summaries of several documents, and the phrases that name them together.

    Needs the scope `search`. Ids that the index does not have are told in `missing`; 404 where it has none of them.
    """
    ids = list(dict.fromkeys(check_id(f"ids.{at}", doc_id) for at, doc_id in enumerate(asked.ids)))
    check_text("query", asked.query, service.settings)

    engine = service.engines.of(caller.tenant)

    def summed(pressure: Pressure) -> bytes:
        found: list[dict[str, object]] = []
        missing: list[str] = []
        for doc_id in ids:
            if pressure.cancelled():  # each may take a second, and nobody waits for it any more
                raise SearchCancelled("given up between two summaries")
            try:
                found.append(
                    engine.summarise(
                        doc_id,
                        query=asked.query,
                        user_id=caller.user_id,
                        length=asked.length,
                        sentences=asked.sentences,
                    ).to_json()
                )
            except NoSuchDocument:
                if len(missing) + 1 == len(ids):
                    raise
                missing.append(doc_id)
        known = [doc_id for doc_id in ids if doc_id not in missing]
        phrases = engine.keyphrases(known, asked.keyphrases) if asked.keyphrases else ()
        return dumped(
            {
                "summaries": found,
                "missing": missing,
                "keyphrases": [phrase.to_json() for phrase in phrases],
            }
        )

    return answered(await service.pool.run(summed))
