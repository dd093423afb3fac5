"""Which problem each error of the engine is, and what of it is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import errors
from engine.errors import InvalidQuery, NoSuchDocument, NoSuchIndex, SearchError
from engine.service.problems import problem_of

from .conftest import Asker, problem

SECRET = "/srv/quire/readers/default.db on 10.0.0.7:9200"


def _kinds(kind: type[SearchError]) -> Iterator[type[SearchError]]:
    yield kind
    for one in kind.__subclasses__():
        yield from _kinds(one)


OURS = [kind for kind in _kinds(SearchError) if kind.__module__ == errors.__name__ and kind.status >= 500]


@pytest.mark.parametrize("kind", [*OURS, NoSuchIndex])
def test_what_is_wrong_on_our_side_is_told_without_particulars(kind: type[SearchError]) -> None:
    found = problem_of(kind(SECRET))
    assert SECRET not in str(found.to_json())
    assert found.status in (500, 503)
    assert ("Retry-After" in found.headers) == (found.status == 503)


def test_what_is_wrong_with_the_question_is_told_in_full() -> None:
    found = problem_of(InvalidQuery("no field 'yaer'", "year"))
    assert (found.status, found.detail, found.extra) == (422, "no field 'yaer'", {"suggestion": "year"})
    assert (problem_of(NoSuchDocument("none")).status, problem_of(NoSuchDocument("none")).kind) == (
        404,
        "no-such-document",
    )


def test_an_index_that_is_gone_is_no_document_that_is_not_there(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted = _without_an_index(ask, monkeypatch)
    found = problem(ask("GET", "/v1/documents/text?id=d01"), 500)
    assert SECRET not in found["detail"]
    assert len(counted) == 1


@pytest.mark.parametrize("accept", ["text/html", "*/*"])
def test_what_fails_in_the_box_is_counted_too(
    ask: Asker, monkeypatch: pytest.MonkeyPatch, accept: str
) -> None:
    counted = _without_an_index(ask, monkeypatch)
    found = ask("GET", "/document?id=d01", headers={"Accept": accept})
    assert (found.status_code, found.headers["content-type"]) == (500, "text/html; charset=utf-8")
    assert SECRET not in found.text
    assert len(counted) == 1


def _without_an_index(ask: Asker, monkeypatch: pytest.MonkeyPatch) -> list[BaseException]:
    """Have documents be asked of an index that is gone; return what is counted as an error."""

    def gone(*arguments: object, **values: object) -> object:
        raise NoSuchIndex(f"there is no index at {SECRET}")

    counted: list[BaseException] = []
    monkeypatch.setattr(ask.service.engines.shared, "document", gone)
    monkeypatch.setattr(ask.service.metrics, "error", counted.append)
    return counted
