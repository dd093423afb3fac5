"""Event files: every format returns what was written, and every malformed line is named."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.event import Event
from eval.errors import FormatError
from eval.personal import read_events, write_events

# No carriage returns: a CSV reader may take them for the end of a row.
NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\r\n\t", exclude_categories=["Zl", "Zp"]), min_size=1
)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))
EVENTS = st.lists(
    st.builds(
        Event,
        NAMES,
        NAMES,
        st.sampled_from(["read", "like"]),
        st.none() | MOMENTS,
        st.floats(0, 100),
        st.just("") | NAMES,
    ),
    max_size=6,
)


@pytest.mark.parametrize("suffix", [".jsonl", ".ndjson.gz", ".csv", ".tsv", ".csv.gz", ".parquet"])
@settings(max_examples=25)
@given(events=EVENTS)
def test_written_events_are_read_again(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, events: list[Event]
) -> None:
    path = tmp_path_factory.mktemp("events") / f"events{suffix}"
    write_events(events, path)
    assert read_events(path) == events


def test_the_names_of_a_data_set_are_understood(datasets: Path) -> None:
    events = read_events(datasets / "se_small" / "events.jsonl.gz")
    assert len(events) == 3853
    assert events[0] == Event(
        "beer:12", "beer:4", "wrote_answer", datetime(2014, 1, 21, 20, 31, 18, 540000, UTC), 1.0
    )


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("e.jsonl", b'{"user": "u", "item": "d"}\n\n{"user": "u"}\n', r"e\.jsonl:3: no doc_id"),
        ("e.jsonl", b'{"user": "u", "item": "d"}\n{"user": \n', r"e\.jsonl:2: is not JSON"),
        ("e.jsonl", b'["u", "d"]\n', r"e\.jsonl:1: is a JSON list"),
        ("e.csv", b"user,item,ts\nu,d,2018-01-01\nu,d,never\n", r"e\.csv:3: a time is ISO 8601 .*'never'"),
        ("e.csv", b"user,item\nu,d,x\n", r"e\.csv:2: has 3 columns, expected 2"),
        ("e.tsv", b"u\td\n", r"e\.tsv:1: is neither a header nor a record of an event"),
        ("e.jsonl.gz", b"plain", r"e\.jsonl\.gz: is not gzip"),
        ("e.jsonl.gz", gzip.compress(b'{"user": "u", "item": "d"}\n')[:-9], r"is damaged gzip"),
        ("e.txt", b"", r"e\.txt: events are in \.jsonl, .* found '\.txt'"),
    ],
)
def test_a_malformed_line_is_named(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FormatError, match=says):
        read_events(path)


def test_no_file_is_written_of_an_unknown_format(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="found ''"):
        write_events([], tmp_path / "events")
    assert not list(tmp_path.iterdir())
