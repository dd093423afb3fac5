"""Logs: what is read, what is left out and said, what is refused."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.errors import FormatError
from eval.online import Log, read_log

GOOD = {"query_id": "q1", "user_id": "u1", "shown": ["a", "b", "c"], "clicks": ["c", "a", "c"]}


def write(path: Path, *records: object) -> Path:
    text = "".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records)
    path.write_text(text, encoding="utf-8")
    return path


def read(path: Path, *records: object) -> Log:
    return read_log(write(path / "log.jsonl", *records))


def test_a_record_is_read_whole(tmp_path: Path) -> None:
    record = GOOD | {
        "at": "2026-11-22T10:00:00+01:00",
        "propensity": 0.25,
        "propensities": [1, 0.5, 0.5],
        "target": 0,
        "targets": [1, 0, 0.5],
        "teams": ["A", "-", "B"],
    }
    [seen] = read(tmp_path, record).impressions
    assert (seen.query_id, seen.user_id, seen.shown, seen.line) == ("q1", "u1", ("a", "b", "c"), 1)
    assert seen.clicks == (0, 2)
    assert seen.at == datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert (seen.propensity, seen.propensities, seen.target) == (0.25, (1.0, 0.5, 0.5), 0.0)
    assert (seen.targets, seen.shares) == ((1.0, 0.0, 0.5), (1.0, 0.5, 0.0))


def test_gzip_blank_lines_text_queries_and_seconds(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl.gz"
    line = json.dumps({"query": "灯塔", "shown": ["a"], "clicks": [], "at": 0, "shares": [0.3]})
    path.write_bytes(gzip.compress(f"\n{line}\n\n".encode()))
    [seen] = read_log(path).impressions
    assert (seen.query_id, seen.line, seen.shares) == ("灯塔", 2, (0.3,))
    assert seen.at == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"clicks": ["z"]}, "'z', which was not shown"),
        ({"shown": ["a", "b", "a"]}, "'a' is shown twice"),
        ({"shown": [], "clicks": []}, "shows nothing"),
        ({"propensity": 0}, "propensity is 0"),
        ({"propensity": 1.5}, "propensity is 1.5"),
        ({"propensities": [1, 1]}, "2 values for 3"),
        ({"propensities": [1, 0, 1]}, "propensities is 0"),
        ({"targets": [1, -0.1, 1]}, "targets is -0.1"),
        ({"teams": ["A"]}, "1 values for 3"),
    ],
)
def test_what_cannot_have_happened_is_left_out_and_said(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    log = read(tmp_path, GOOD, GOOD | change, GOOD)
    assert [seen.line for seen in log.impressions] == [1, 3]
    [problem] = log.problems
    assert (problem.kind, problem.line) == ("impossible", 2)
    assert said in problem.found


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        "[" * 100_000,
        {"shown": ["a"], "clicks": []},
        GOOD | {"shown": "abc"},
        GOOD | {"clicks": None},
        GOOD | {"query_id": True},
        GOOD | {"user_id": ["u"]},
        GOOD | {"user_id": True},
        GOOD | {"at": "yesterday"},
        GOOD | {"at": True},
        GOOD | {"at": 1e300},
        GOOD | {"propensity": "often"},
        GOOD | {"propensities": [1, None, 1]},
        GOOD | {"propensities": 1},
        GOOD | {"teams": ["A", "B", "C"]},
    ],
)
def test_one_line_that_cannot_be_read_is_said_and_many_are_refused(tmp_path: Path, line: object) -> None:
    log = read(tmp_path, *[GOOD] * 150, line)
    assert len(log.impressions) == 150
    assert [(problem.kind, problem.line) for problem in log.problems] == [("malformed", 151)]
    with pytest.raises(FormatError, match=r"log.jsonl:2: .*1 of 3 lines"):
        read(tmp_path, GOOD, line, GOOD)


def test_nothing_to_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="no impression"):
        read(tmp_path, "")
    with pytest.raises(FormatError, match="not shown"):
        read(tmp_path, GOOD | {"clicks": ["z"]})
    (tmp_path / "bytes.jsonl").write_bytes(b'{"query_id": "\xff"}')
    with pytest.raises(FormatError, match="UTF-8"):
        read_log(tmp_path / "bytes.jsonl")
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(b"x" * 1000)[:-12])
    with pytest.raises(FormatError, match="cut short"):
        read_log(tmp_path / "cut.jsonl.gz")


def test_what_came_before_is_left_out(tmp_path: Path) -> None:
    named, dated = GOOD | {"impression_id": "i1"}, GOOD | {"at": "2026-01-01"}
    log = read(tmp_path, named, named | {"clicks": []}, dated, dated, GOOD, GOOD, dated | {"user_id": "u2"})
    assert [seen.line for seen in log.impressions] == [1, 3, 5, 6, 7]
    assert [(p.kind, p.line, p.found) for p in log.problems] == [
        ("duplicate", 2, "the same impression as line 1"),
        ("duplicate", 4, "the same impression as line 3"),
    ]


def test_a_flood_is_said_and_can_be_left_out(tmp_path: Path) -> None:
    calm = [GOOD | {"user_id": f"u{at}"} for at in range(300)]
    log = read(tmp_path, *calm, *[GOOD | {"user_id": "robot"}] * 60)
    [problem] = log.problems
    assert (problem.kind, problem.line, log.floods) == ("flood", 0, {"robot"})
    assert "60 of 360" in problem.found
    assert len(log.impressions) == 360
    assert len(log.without_floods()) == 300
    assert not read(tmp_path, *calm, *[GOOD | {"user_id": "keen"}] * 15).problems


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["a", "b", "A", "-"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=5,
)
KEYS = (
    "query_id",
    "query",
    "user_id",
    "at",
    "shown",
    "clicks",
    "propensity",
    "propensities",
    "target",
    "targets",
    "teams",
)


@given(
    changes=st.lists(
        st.dictionaries(st.sampled_from([*KEYS, "shares", "impression_id"]), anything, max_size=3), max_size=4
    )
)
def test_every_line_is_an_impression_or_a_problem(
    tmp_path_factory: pytest.TempPathFactory, changes: list[dict[str, object]]
) -> None:
    folder = tmp_path_factory.mktemp("any")
    log = read(
        folder,
        *[GOOD | {"impression_id": str(at)} for at in range(500)],
        *[GOOD | change for change in changes],
    )
    lines = sorted([seen.line for seen in log.impressions] + [problem.line for problem in log.problems])
    assert lines == list(range(1, 501 + len(changes)))
    for seen in log.impressions:
        assert all(0 <= place < len(seen.shown) for place in seen.clicks)
        assert all(0 < chance <= 1 for chance in (*seen.propensities, seen.propensity or 1.0))
        assert len(seen.shares) in (0, len(seen.shown))
