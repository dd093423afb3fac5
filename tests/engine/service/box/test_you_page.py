"""What is known of a reader over HTTP: seen, corrected, taken along, erased; by plain forms of our own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from selectolax.lexbor import LexborHTMLParser

from engine import Event
from engine.service.access.cookies import COOKIE
from engine.service.box.urls.preferences import COOKIE as PREFERENCES
from engine.service.service import Service

from .conftest import Box
from .visitor import Visitor, form_to, parameters, said, visit

__all__ = ["visit"]

BRIDGE, OTHER, THIRD = (f"bridges/report {number:02}.md" for number in (7, 8, 9))
Visit = Callable[[Service], Visitor]
POSTS = {
    "/you/mute": {"name": BRIDGE},
    "/you/unmute": {"name": BRIDGE},
    "/you/forget-document": {"doc_id": BRIDGE},
    "/you/declare": {"text": "arches"},
    "/you/undeclare": {"text": "arches"},
    "/you/preferences": {"strength": "2", "personal": "on"},
    "/you/erase": {"sure": "yes"},
    "/leave": {},
    "/feedback": {"doc_id": BRIDGE, "kind": "like", "back": "/"},
}


@pytest.fixture
def reader(box: Box, request: pytest.FixtureRequest) -> str:
    """The name of a reader who has read two documents and wanted less of a third."""
    name = request.node.name
    engine = box.service.engines.of("default")
    engine.forget(name)
    at = datetime(2026, 1, 2, 12, tzinfo=UTC)
    engine.record(
        [Event(name, BRIDGE, "read", at), Event(name, OTHER, "like", at), Event(name, THIRD, "dislike", at)]
    )
    engine.record([Event(name, "gone.md", "read", at)])
    return name


@pytest.fixture
def ann(box: Box, visit: Visit, reader: str) -> Visitor:
    """Their browser."""
    visitor = visit(box.service)
    visitor.enter(reader)
    return visitor


def test_the_page_tells_what_the_engine_knows(box: Box, ann: Visitor, reader: str) -> None:
    page = ann.page("/you")
    engine = box.service.engines.of("default")
    known = engine.interests(reader)
    assert known is not None
    assert reader in said(page, ".lead")
    assert "4 things that you did, with 4 documents" in said(page, ".evidence")
    assert "2 January 2026" in said(page, ".evidence")
    shares = [int(node.text().rstrip("%")) for node in page.css(".interest .percent")]
    assert shares == [round(100 * one.weight) for one in known.likes]
    met = {str(node.attributes["value"]) for node in page.css('.interest input[name="doc_id"]')}
    assert met == {BRIDGE, OTHER}
    assert "Bridge report 9" in said(page, 'section[aria-labelledby="you-disliked"]')
    assert "gone.md" in said(page, 'section[aria-labelledby="you-absent"]')


def test_an_interest_is_turned_off_and_on_again(box: Box, ann: Visitor, reader: str) -> None:
    name = str(ann.page("/you").css_first('form[action="/you/mute"] input').attributes["value"])
    off = ann.follow(ann.send(form_to(ann.page("/you"), "/you/mute", name=name)))
    assert said(off, ".noted") == "Turned off. It no longer counts."
    assert "off" in said(off, ".interest.muted .percent")
    readers = box.service.engines.of("default").readers
    assert readers.history(reader).muted == {name}
    on = ann.follow(ann.send(form_to(off, "/you/unmute", name=name)))
    assert not on.css(".interest.muted")
    assert readers.history(reader).muted == frozenset()


def test_a_document_is_forgotten(box: Box, ann: Visitor, reader: str) -> None:
    page = ann.follow(ann.send(form_to(ann.page("/you"), "/you/forget-document", doc_id=THIRD)))
    assert not page.css('section[aria-labelledby="you-disliked"]')
    assert THIRD not in box.service.engines.of("default").readers.history(reader).doc_ids


def test_interests_are_put_into_words_and_taken_back(box: Box, ann: Visitor, reader: str) -> None:
    words = '<b>arches</b> & "piers"'
    page = ann.follow(ann.post("/you/declare", {"text": f"  {words} "}))
    assert words in said(page, ".interests")
    readers = box.service.engines.of("default").readers
    assert [one.text for one in readers.history(reader).declared] == [words]
    ann.follow(ann.send(form_to(page, "/you/undeclare", text=words)))
    assert readers.history(reader).declared == ()


def test_no_words_are_no_interest(ann: Visitor) -> None:
    page = ann.follow(ann.post("/you/declare", {"text": "  "}))
    assert said(page, ".noted") == "Write a few words first."


def test_what_is_kept_can_be_taken_along(box: Box, ann: Visitor, reader: str) -> None:
    answer = ann.get("/you/export")
    assert json.loads(answer.text) == box.service.engines.of("default").readers.export(reader)
    assert answer.headers["content-disposition"] == 'attachment; filename="quire-profile.json"'
    assert answer.headers["cache-control"] == "no-store"


def test_erasing_is_asked_for_twice_and_proved(box: Box, ann: Visitor, reader: str) -> None:
    asked = ann.page("/you/erase")
    assert "4 things that you did, with 4 documents" in said(asked, ".counts")
    assert ann.post("/you/erase").headers["location"] == "/you/erase"
    readers = box.service.engines.of("default").readers
    assert readers.version(reader)
    form = form_to(asked, "/you/erase")
    answer = ann.send(form, form.css_first("button"))
    assert answer.status_code == 200
    assert "Gone: 4 things that you did" in answer.text
    assert "the store knows no reader of this name" in answer.text
    assert readers.version(reader) == 0
    assert reader not in set(readers.readers())
    assert "Nothing is kept of you yet" in said(ann.page("/you"), ".evidence")


def test_a_guest_is_told_of_once_and_gone_when_erased(box: Box, visit: Visit) -> None:
    guest = visit(box.service)
    assert "nothing is kept of what you do" in said(guest.page("/you"), ".lead")
    assert COOKIE not in guest.cookies
    answer = guest.post("/you/declare", {"text": "arches"})
    assert parameters(answer.headers["location"])["noted_new"] == "1"
    page = guest.follow(answer)
    assert "made-up name" in said(page, ".noted")
    assert "You are a guest" in said(page, ".lead")
    assert not page.css('form[action="/leave"]')
    assert "made-up name" not in said(guest.follow(guest.post("/you/declare", {"text": "piers"})), ".noted")
    answer = guest.post("/you/erase", {"sure": "yes"})
    assert "made-up name is forgotten too" in answer.text
    assert COOKIE not in guest.cookies
    assert "nothing is kept of what you do" in said(guest.page("/you"), ".lead")


def test_a_reader_has_no_way_to_another_one(box: Box, ann: Visitor, visit: Visit, reader: str) -> None:
    bob = visit(box.service)
    bob.enter("bob")
    for path in ("/you", "/you/export"):
        for query in ("", f"?user_id={reader}", f"?reader={reader}"):
            answer = bob.get(path + query)
            assert OTHER not in answer.text
            assert "Bridge report 8" not in answer.text
    bob.post("/you/forget-document", {"doc_id": OTHER, "user_id": reader})
    bob.post("/you/erase", {"sure": "yes", "user_id": reader})
    assert len(box.service.engines.of("default").readers.history(reader)) == 4


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
        {"Sec_Fetch_Site": "", "Origin": "https://evil.example"},
    ],
)
def test_other_sites_change_nothing(
    box: Box, ann: Visitor, reader: str, path: str, headers: dict[str, str]
) -> None:
    before = box.service.engines.of("default").readers.export(reader)
    answer = ann.post(path, POSTS[path], **headers)
    assert answer.status_code == 403
    assert box.service.engines.of("default").readers.export(reader) == before
    assert COOKIE in ann.cookies


@pytest.mark.parametrize("path", POSTS)
def test_looking_changes_nothing(ann: Visitor, path: str) -> None:
    answer = ann.get(path)
    assert answer.status_code in (200, 405)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", [path for path in POSTS if path not in ("/you/erase", "/leave")])
@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
)
def test_the_way_back_is_a_path_of_our_own(ann: Visitor, path: str, back: str) -> None:
    answer = ann.post(path, {**POSTS[path], "back": back})
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(("/?", "/you?"))


@pytest.mark.parametrize("path", ["/you/mute", "/you/forget-document", "/you/undeclare", "/you/erase"])
def test_of_nobody_nothing_can_be_changed(box: Box, visit: Visit, path: str) -> None:
    answer = visit(box.service).post(path, POSTS[path])
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


def test_what_cannot_be_turned_off_is_said(ann: Visitor) -> None:
    answer = ann.post("/you/mute", {"name": "never met"})
    assert answer.status_code == 422
    assert "never met" in answer.text


def test_for_the_pages_own_script_a_form_answers_with_the_panel(ann: Visitor) -> None:
    answer = ann.post("/you/forget-document", {"doc_id": THIRD}, quire_fragment="1")
    assert answer.status_code == 200
    assert "<html" not in answer.text
    assert "Forgotten" in answer.text
    assert "Bridge report 9" not in answer.text


def test_preferences_are_the_usual_ones_of_a_list(box: Box, ann: Visitor, reader: str) -> None:
    back = "/?q=bridge&f.kind=iron&strength=1"
    answer = ann.post("/you/preferences", {"strength": "2.5", "personal": "on", "back": back})
    assert parameters(answer.headers["location"]) == {
        "q": "bridge", "f.kind": "iron", "strength": "2.5", "noted": "preferences"
    }  # fmt: skip
    assert ann.page("/you").css_first('[name="strength"]').attributes["value"] == "2.5"
    assert ann.page("/?q=bridge").css_first('input[name="strength"]').attributes["value"] == "2.5"
    assert ann.page("/?q=bridge&strength=1").css_first('[name="strength"]').attributes["value"] == "1"
    ann.post("/you/preferences", {"strength": "1"})
    page = ann.page("/you")
    assert "checked" not in page.css_first('[name="personal"]').attributes
    ann.post("/you/preferences", {"strength": "1", "personal": "on"})
    assert PREFERENCES not in ann.cookies


@pytest.mark.parametrize("value", ["nan", "-1", "99", "x", "1&strength=9", "off", ""])
def test_preferences_that_make_no_sense_do_no_harm(ann: Visitor, value: str) -> None:
    answer = ann.post("/you/preferences", {"strength": value, "personal": value})
    assert answer.status_code == 303
    ann.cookies.set(PREFERENCES, f"strength={value}&personal={value}" * 40)
    assert 0 <= float(ann.page("/you").css_first('[name="strength"]').attributes["value"] or "") <= 3


def test_both_languages(ann: Visitor) -> None:
    assert said(ann.page("/you?lang=zh"), "h1") == "Quire 对您的了解"
    page = ann.page("/you?lang=zh")
    answer = ann.send(page.css_first('form[action^="/you/mute"]'))
    assert parameters(answer.headers["location"])["lang"] == "zh"
    assert "已关闭" in said(ann.follow(answer), ".noted")


def test_words_that_cannot_be_kept_make_no_guest(box: Box, visit: Visit) -> None:
    nobody = visit(box.service)
    answer = nobody.post("/you/declare", {"text": "x" * 1001})
    assert answer.status_code == 422
    assert "That cannot be done" in answer.text
    assert COOKIE not in nobody.cookies


def test_what_has_no_part_in_any_interest_is_seen_and_can_be_forgotten(
    box: Box, visit: Visit, reader: str
) -> None:
    engine = box.service.engines.of("default")
    old = datetime(1990, 1, 2, 12, tzinfo=UTC)
    engine.record([Event(reader, "notes/untitled thing.txt", "read", old)])
    visitor = visit(box.service)
    visitor.enter(reader)
    page = visitor.page("/you")
    listed = {str(node.attributes["value"]) for node in page.css("input[name=doc_id]")}
    assert listed == {one["doc_id"] for one in engine.readers.export(reader)["events"]}


def test_the_other_language_of_what_a_form_was_answered_with_is_a_page(
    box: Box, visit: Visit, reader: str
) -> None:
    visitor = visit(box.service)
    visitor.enter(reader)
    for path in ("/feedback", "/you/declare"):
        answer = visitor.post(path, {"text": "x" * 5000, "doc_id": "", "kind": "no such thing"})
        assert answer.status_code == 422
        href = str(LexborHTMLParser(answer.text).css_first("a[data-language]").attributes["href"])
        assert visitor.get(href).status_code == 200
