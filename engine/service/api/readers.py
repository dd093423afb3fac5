"""Readers: what they did, who they seem to be, what they may like. Who it is, a signed token says, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as Parameter
from fastapi.responses import Response

from engine.event import Event
from engine.personal.readers import Readers
from engine.search_engine import SearchEngine
from engine.service.access.caller import Caller
from engine.service.api.answers import WITH_BODY, answered, dumped
from engine.service.api.callers import ActingReader, Here, SearchingReader
from engine.service.api.schemas.readers import (
    ChangedOut,
    DeclareIn,
    DocumentIn,
    EventsIn,
    ExportOut,
    ForgottenDocumentOut,
    ForgottenOut,
    NameIn,
    ProfileOut,
    RecommendAddress,
    RecommendationsOut,
    RecordedOut,
    UndeclareIn,
)
from engine.service.asking import ask
from engine.service.limits import k_of
from engine.service.profile import profile_of
from engine.service.service import Service

router = APIRouter(tags=["readers"])


def _who(caller: Caller) -> str:
    """Return the reader whom a token names; the routes here are for those alone."""
    return caller.user_id or ""


@router.get("/recommendations", response_model=RecommendationsOut, operation_id="recommendations")
async def recommendations(
    asked: Annotated[RecommendAddress, Parameter()], service: Here, caller: SearchingReader
) -> Response:
    """Return documents that the reader may want to read next, each with what it rests on.

    Needs the scope `search` and a reader's token.
    """
    k = k_of(asked, service.settings)

    def recommended(engine: SearchEngine) -> bytes:
        found = engine.recommend(
            _who(caller), k, diversity=asked.diversity, include_read=asked.include_read
        ).to_json()
        del found["user_id"]
        return dumped(found)

    return answered(await ask(service, caller, recommended))


@router.post("/events", response_model=RecordedOut, responses=WITH_BODY, operation_id="record_events")
async def events(asked: EventsIn, service: Here, caller: ActingReader) -> Response:
    """Remember what the reader did; the next search of theirs counts it.

    Needs the scope `events` and a reader's token.
    """
    now = datetime.now(UTC)

    def recorded(engine: SearchEngine) -> bytes:
        made = [
            Event(_who(caller), one.doc_id, one.kind, one.at or now, one.weight, one.event_id)
            for one in asked.events
        ]
        found = engine.record(made)
        return dumped({"added": found.added, "duplicates": found.duplicates, "future": found.future})

    return answered(await ask(service, caller, recorded))


@router.get("/profile", response_model=ProfileOut, operation_id="profile")
async def profile(service: Here, caller: SearchingReader) -> Response:
    """Return who the reader seems to be: interests, what they rest on, what is turned off.

    Needs the scope `search` and a reader's token.
    """
    return answered(
        await ask(
            service,
            caller,
            lambda engine: dumped(profile_of(service.engines, engine, _who(caller)).to_json()),
        )
    )


@router.post("/profile/mute", response_model=ChangedOut, responses=WITH_BODY, operation_id="mute_interest")
async def mute(asked: NameIn, service: Here, caller: ActingReader) -> Response:
    """Turn an interest off: it stays to be seen, and counts nothing.

    Needs the scope `events` and a reader's token.
    """
    return await _changed(service, caller, lambda readers: readers.mute(_who(caller), asked.name))


@router.post(
    "/profile/unmute", response_model=ChangedOut, responses=WITH_BODY, operation_id="unmute_interest"
)
async def unmute(asked: NameIn, service: Here, caller: ActingReader) -> Response:
    """Turn an interest on again.

    Needs the scope `events` and a reader's token.
    """
    return await _changed(service, caller, lambda readers: readers.unmute(_who(caller), asked.name))


@router.post(
    "/profile/declare", response_model=ChangedOut, responses=WITH_BODY, operation_id="declare_interest"
)
async def declare(asked: DeclareIn, service: Here, caller: ActingReader) -> Response:
    """Keep an interest in the reader's own words, or change how much it counts.

    Needs the scope `events` and a reader's token.
    """

    def declared(readers: Readers) -> bool:
        readers.declare(_who(caller), asked.text, weight=asked.weight)
        return True

    return await _changed(service, caller, declared)


@router.post(
    "/profile/undeclare", response_model=ChangedOut, responses=WITH_BODY, operation_id="undeclare_interest"
)
async def undeclare(asked: UndeclareIn, service: Here, caller: ActingReader) -> Response:
    """Take back an interest that was declared in these words.

    Needs the scope `events` and a reader's token.
    """
    return await _changed(service, caller, lambda readers: readers.undeclare(_who(caller), asked.text))


@router.post(
    "/profile/forget-document",
    response_model=ForgottenDocumentOut,
    responses=WITH_BODY,
    operation_id="forget_document",
)
async def forget_document(asked: DocumentIn, service: Here, caller: ActingReader) -> Response:
    """Forget all that the reader did with one document, as if it had not happened.

    Needs the scope `events` and a reader's token.
    """
    return answered(
        await ask(
            service,
            caller,
            lambda engine: dumped({"events": engine.readers.forget_document(_who(caller), asked.id)}),
        )
    )


@router.get("/profile/export", response_model=ExportOut, operation_id="export_profile")
async def export(service: Here, caller: SearchingReader) -> Response:
    """Return all that is kept of the reader.

    Needs the scope `search` and a reader's token.
    """
    return answered(await ask(service, caller, lambda engine: dumped(engine.readers.export(_who(caller)))))


@router.delete("/profile", response_model=ForgottenOut, operation_id="erase_profile")
async def erase(service: Here, caller: ActingReader) -> Response:
    """Erase the reader: nothing is left of what they did, declared or turned off.

    Needs the scope `events` and a reader's token.
    """

    def erased(engine: SearchEngine) -> bytes:
        gone = engine.forget(_who(caller))
        # Not how many documents nobody else had met: with an event and an erasure one would find out who else met what.
        return dumped(
            {
                "readers": gone.readers,
                "events": gone.events,
                "declared": gone.declared,
                "muted": gone.muted,
            }
        )

    return answered(await ask(service, caller, erased))


async def _changed(service: Service, caller: Caller, change: Callable[[Readers], bool]) -> Response:
    return answered(await ask(service, caller, lambda engine: dumped({"changed": change(engine.readers)})))
