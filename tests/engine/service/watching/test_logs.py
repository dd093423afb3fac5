"""What is logged, and above all what is not."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import IndexOpenError, InvalidQuery
from engine.service.watching.logs import Disguise, JsonLines, TextLines, safe_message, set_up, told
from indexer.errors import IndexLocked, InvalidFilter

PLANTED = "who-stole-the-lighthouse"
WORDS = st.text(min_size=1, max_size=20)


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    names = ("quire", "uvicorn", "uvicorn.error", "elastic_transport.node")
    before = root.handlers[:], root.level, threading.excepthook
    levels = {name: logging.getLogger(name).level for name in names}
    yield
    root.handlers[:], root.level, threading.excepthook = before
    logging.captureWarnings(False)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@given(WORDS, WORDS, WORDS, WORDS)
def test_a_reader_has_one_name_per_tenant_and_secret(one: str, other: str, tenant: str, second: str) -> None:
    disguise = Disguise(b"s" * 32)
    assert disguise.of(tenant, one) == Disguise(b"s" * 32).of(tenant, one)
    assert disguise.of(tenant, one) != Disguise(b"t" * 32).of(tenant, one)
    assert (disguise.of(tenant, one) == disguise.of(second, other)) == ((tenant, one) == (second, other))


def test_tenant_and_reader_cannot_be_shifted_into_each_other() -> None:
    disguise = Disguise(b"s" * 32)
    assert len({disguise.of("a", "bc"), disguise.of("ab", "c"), disguise.of("", "abc")}) == 3


def _lines(form: str, name: str, message: str, *args: object, error: BaseException | None = None) -> str:
    stream = io.StringIO()
    set_up(form, stream)  # type: ignore[arg-type]
    try:
        if error is not None:
            raise error
        logging.getLogger(name).error(message, *args)
    except Exception:
        logging.getLogger(name).exception(message, *args)
    return stream.getvalue()


@pytest.mark.parametrize("form", ["json", "text"])
def test_one_event_is_one_line_whatever_is_in_it(form: str) -> None:
    written = _lines(form, "quire.service", "first\nsecond\r\x1b[31m\u2028%s", "third\nfourth")
    assert len(written.splitlines()) == 1
    assert "\x1b" not in written


@pytest.mark.parametrize("form", ["json", "text"])
@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (ValueError(PLANTED), False),
        (KeyError(PLANTED), False),
        (InvalidQuery(PLANTED), False),
        (InvalidFilter(PLANTED), False),
        (OSError(28, "No space left", PLANTED), False),
        (IndexOpenError(PLANTED), True),
        (IndexLocked(PLANTED), True),
    ],
)
def test_of_an_error_the_message_is_told_only_where_it_is_about_our_side(
    form: str, error: BaseException, shown: bool
) -> None:
    written = _lines(form, "engine.meaning", "something failed", error=error)
    assert (PLANTED in written) == shown
    assert type(error).__name__ in written
    assert "test_logs.py" in written


def test_what_others_fill_into_their_messages_is_left_out() -> None:
    written = _lines("json", "somebody.else", "asked for %s", PLANTED)
    assert PLANTED not in written
    assert json.loads(written)["event"] == "asked for %s"
    assert _lines("json", "elastic_transport.node", "GET /library/_doc/%s", PLANTED) == ""


def test_what_a_thread_did_not_handle_is_a_line_too(capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.StringIO()
    set_up("json", stream)

    def fail() -> None:
        raise ValueError(PLANTED)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    said = json.loads(stream.getvalue())
    assert said["error"]["kind"] == "ValueError"
    assert PLANTED not in stream.getvalue() + capsys.readouterr().err


def test_the_cause_is_told_by_its_kind() -> None:
    try:
        try:
            raise ValueError(PLANTED)
        except ValueError as cause:
            raise IndexOpenError("the index is damaged") from cause
    except IndexOpenError as error:
        said = told(error)
    assert said["message"] == "the index is damaged"
    assert said["cause"]["kind"] == "ValueError"  # type: ignore[index]
    assert PLANTED not in json.dumps(said)
    assert safe_message(ValueError(PLANTED)) == ""


def test_what_a_line_has_is_what_was_given() -> None:
    record = logging.LogRecord("quire.service", logging.INFO, "x.py", 1, "request", (), None)
    record.fields = {"status": 200, "route": "/v1/search"}
    said = json.loads(JsonLines(worker=3).format(record))
    assert {
        "event": "request",
        "level": "info",
        "status": 200,
        "route": "/v1/search",
        "worker": 3,
    }.items() <= said.items()
    assert said["time"].endswith("+00:00")
    assert TextLines(worker=3).format(record).endswith("info request status=200 route=/v1/search worker=3")


def test_without_a_stream_it_is_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    set_up("text")
    logging.getLogger("quire.service").info("here")
    assert stream.getvalue().rstrip().endswith("info here")
