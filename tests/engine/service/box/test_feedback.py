"""What readers say of documents over HTTP, and how they come in and leave."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from engine import Event, Query
from engine.service.access.cookies import COOKIE
from engine.service.box.reader.opinions import events_of, note, opine, opinion_of, take_back
from engine.service.service import Service

from .conftest import Box
from .visitor import Visitor, form_to, parameters, said, visit

__all__ = ["visit"]

BRIDGE, OTHER = "bridges/report 07.md", "bridges/report 08.md"
PAGE = "/document?id=bridges/report%2007.md&q=arch"
Visit = Callable[[Service], Visitor]


def kept(box: Box, reader: str) -> list[tuple[str, str]]:
    return sorted((one.doc_id, one.kind) for one in events_of(box.service.engines.of("default"), reader))


def everybody(box: Box) -> set[str]:
    readers = box.service.engines.of("default").readers
    return set(readers.readers()) if readers.exists else set()


@pytest.fixture
def ann(box: Box, visit: Visit, request: pytest.FixtureRequest) -> Visitor:
    """A reader of whom nothing is known."""
    box.service.engines.of("default").forget(request.node.name)
    visitor = visit(box.service)
    visitor.enter(request.node.name)
    return visitor


def test_a_thumb_is_noted_shown_and_taken_back(
    box: Box, ann: Visitor, request: pytest.FixtureRequest
) -> None:
    form = form_to(ann.page(PAGE), "/feedback", doc_id=BRIDGE)
    page = ann.follow(ann.send(form, form.css_first('[data-kind="like"]')))
    assert said(page, ".noted p") == "Noted: more of this."
    assert kept(box, request.node.name) == [(BRIDGE, "like")]
    assert page.css_first('.rating [data-kind="like"]').attributes["aria-pressed"] == "true"
    again = page.css_first("form.rating")
    undo = page.css_first(".noted form")
    assert parameters(str(undo.css_first('[name="back"]').attributes["value"]))["q"] == "arch"
    ann.follow(ann.send(again, again.css_first('[data-kind="like"]')))
    assert kept(box, request.node.name) == []


def test_one_opinion_takes_the_place_of_another(
    box: Box, ann: Visitor, request: pytest.FixtureRequest
) -> None:
    for kind in ("like", "like", "dislike", "hide"):
        ann.post("/feedback", {"doc_id": BRIDGE, "kind": kind, "back": PAGE})
        assert kept(box, request.node.name) == [(BRIDGE, kind)]


def test_undoing_leaves_what_else_was_done(box: Box) -> None:
    engine = box.service.engines.of("default")
    at = datetime(2026, 1, 2, tzinfo=UTC)
    before = [Event("eva", BRIDGE, "read", at, event_id="log 1"), Event("eva", BRIDGE, "save", at, 2.5)]
    engine.record([*before, Event("eva", OTHER, "like", at)])
    assert opine(engine, "eva", BRIDGE, "hide")
    assert opinion_of(engine, "eva", BRIDGE) == "hide"
    assert take_back(engine, "eva", BRIDGE)
    assert not take_back(engine, "eva", BRIDGE)
    left = [one for one in events_of(engine, "eva") if one.doc_id == BRIDGE]
    assert sorted(left, key=lambda one: one.kind) == before
    assert opinion_of(engine, "eva", OTHER) == "like"
    assert opinion_of(engine, "eva", BRIDGE) == opinion_of(engine, None, BRIDGE) == ""


def test_what_is_hidden_is_in_no_list_until_that_is_undone(
    box: Box, ann: Visitor, request: pytest.FixtureRequest
) -> None:
    engine = box.service.engines.of("default")
    query = Query("bridge", user_id=request.node.name)
    first = engine.search(query, k=1).hits[0].doc_id
    page = ann.follow(ann.post("/feedback", {"doc_id": first, "kind": "hide", "back": "/?q=bridge"}))
    assert first not in [str(node.attributes["data-key"]) for node in page.css(".hit")]
    assert first not in [hit.doc_id for hit in engine.search(query, k=100).hits]
    told = page.css_first(".noted form")
    ann.follow(ann.send(told, told.css_first("button")))
    assert engine.search(query, k=1).hits[0].doc_id == first


def test_whoever_is_nobody_becomes_a_guest_by_an_opinion_and_is_told(box: Box, visit: Visit) -> None:
    guest, before = visit(box.service), everybody(box)
    guest.page(PAGE)
    guest.page("/?q=bridge")
    assert COOKIE not in guest.cookies
    page = guest.follow(guest.post("/feedback", {"doc_id": BRIDGE, "kind": "like", "back": PAGE}))
    assert COOKIE in guest.cookies
    assert "made-up name" in said(page, ".noted")
    assert page.css_first('.noted a[href="/you"]') is not None
    [new] = everybody(box) - before
    assert kept(box, new) == [(BRIDGE, "like")]


def test_the_pages_own_script_is_told_what_there_is_to_tell(box: Box, visit: Visit) -> None:
    guest = visit(box.service)
    said_first = guest.post("/feedback", {"doc_id": BRIDGE, "kind": "like"}, quire_fragment="1")
    assert "made-up name" in said_first.text
    assert guest.post("/feedback", {"doc_id": OTHER, "kind": "like"}, quire_fragment="1").status_code == 204
    hidden = guest.post("/feedback", {"doc_id": OTHER, "kind": "hide"}, quire_fragment="1")
    assert 'value="undo"' in hidden.text
    assert "made-up" not in hidden.text
    assert guest.post("/feedback", {"doc_id": OTHER, "kind": "undo"}, quire_fragment="1").status_code == 204


@pytest.mark.parametrize("kind", ["click", "read"])
def test_opening_a_document_makes_nobody_a_reader(box: Box, visit: Visit, ann: Visitor, kind: str) -> None:
    before = everybody(box)
    nobody = visit(box.service)
    for visitor in (nobody, ann):
        answer = visitor.post("/feedback", {"doc_id": BRIDGE, "kind": kind})
        assert answer.status_code == 204
    assert COOKIE not in nobody.cookies
    assert everybody(box) == before


def test_opening_is_noted_once_a_day_of_those_with_a_profile_who_let_it_count(
    box: Box, ann: Visitor, request: pytest.FixtureRequest
) -> None:
    ann.post("/you/declare", {"text": "arches"})
    ann.post("/you/preferences", {"strength": "1", "personal": "off"})
    ann.post("/feedback", {"doc_id": BRIDGE, "kind": "click"})
    assert not ann.page(PAGE).css("[data-watched]")
    assert kept(box, request.node.name) == []
    ann.post("/you/preferences", {"strength": "1", "personal": "on"})
    assert ann.page(PAGE).css_first("[data-watched]").attributes["data-watched"] == BRIDGE
    for kind in ("click", "click", "read", "read"):
        ann.post("/feedback", {"doc_id": BRIDGE, "kind": kind})
    assert kept(box, request.node.name) == [(BRIDGE, "click"), (BRIDGE, "read")]


def test_another_day_is_noted_anew(box: Box) -> None:
    engine = box.service.engines.of("default")
    for day in (1, 1, 2):
        note(engine, "kim", BRIDGE, "read", datetime(2026, 1, day, 9, tzinfo=UTC))
        note(engine, "kim", OTHER, "read", datetime(2026, 1, day, 9, tzinfo=UTC))
    assert kept(box, "kim") == [(BRIDGE, "read")] * 2 + [(OTHER, "read")] * 2


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ({"doc_id": BRIDGE, "kind": "save"}, 422),
        ({"doc_id": BRIDGE, "kind": ""}, 422),
        ({"doc_id": "", "kind": "like"}, 422),
        ({"doc_id": "x" * 2000, "kind": "like"}, 422),
        ({"kind": "like"}, 422),
        ({"doc_id": "nowhere", "kind": "like"}, 404),
    ],
)
def test_what_cannot_be_noted_leaves_no_trace(
    box: Box, visit: Visit, values: dict[str, str], status: int
) -> None:
    visitor, before = visit(box.service), everybody(box)
    answer = visitor.post("/feedback", values)
    assert answer.status_code == status
    assert COOKIE not in visitor.cookies
    assert everybody(box) == before


def test_where_there_are_no_guests_nobody_can_rate(make_box: Callable[..., Box], visit: Visit) -> None:
    visitor = visit(make_box(guests=False).service)
    assert not visitor.page(PAGE).css(".rating")
    assert visitor.post("/feedback", {"doc_id": BRIDGE, "kind": "like"}).status_code == 401
    assert visitor.post("/you/declare", {"text": "arches"}).status_code == 401


def test_a_link_lets_in_and_stays_in_no_address(box: Box, visit: Visit) -> None:
    visitor = visit(box.service)
    token = box.service.tokens.issue("ann", "default", hours=1)
    answer = visitor.get(f"/enter?token={token}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "ann" in said(visitor.page("/you"), ".lead")
    assert visitor.post("/leave").headers["location"] == "/"
    assert COOKIE not in visitor.cookies


@pytest.mark.parametrize("box_is", ["open", "token"])
@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 9000])
def test_a_link_that_does_not_hold_says_so(
    make_box: Callable[..., Box], visit: Visit, box_is: str, token: str
) -> None:
    visitor = visit(make_box(box=box_is).service)
    answer = visitor.get(f"/enter?token={token}")
    assert answer.status_code in (401, 414)
    assert "set-cookie" not in answer.headers


def test_an_expired_link_says_what_to_do(box: Box, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = box.service.tokens
    clock = tokens._clock
    monkeypatch.setattr(tokens, "_clock", lambda: clock() - 7200)
    token = tokens.issue("ann", "default", hours=1)
    monkeypatch.undo()
    answer = visit(box.service).get(f"/enter?token={token}")
    assert answer.status_code == 401
    assert "Your link has run out" in answer.text
    assert token not in answer.text


def test_a_box_for_known_readers_lets_them_in(make_box: Callable[..., Box], visit: Visit) -> None:
    visitor = visit(make_box(box="token").service)
    assert visitor.get("/you").status_code == 401
    visitor.enter("ann")
    assert visitor.get("/you").status_code == 200


def test_where_there_is_no_box_there_is_no_door(make_box: Callable[..., Box], visit: Visit) -> None:
    visitor = visit(make_box(box="off").service)
    for path in ("/enter?token=x", "/you", "/document?id=a", "/why-not"):
        assert visitor.get(path).status_code == 404
    assert visitor.post("/leave").status_code == 404
