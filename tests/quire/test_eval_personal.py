"""`quire eval personal` and `split`: from files to a verdict, at 80 columns and as JSON, and what is refused."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from quire.terminal import cells

pytest.importorskip("ir_measures", reason="the extra eval is not installed")
pytest.importorskip("scipy", reason="the extra eval is not installed")

Quire = Callable[..., Result]
READERS, DOCUMENTS = 24, 40


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Readers of even and of odd documents; runs that are anonymous, personal, and made with a stand-in's history."""
    choose = random.Random(7)
    lines: dict[str, list[str]] = {
        name: [] for name in ("qrels.txt", "anonymous.run", "personal.run", "shuffled.run")
    }
    topics, events = [], []
    for number in range(READERS):
        taste, query = number % 2, f"q{number}"
        own = [n for n in range(DOCUMENTS) if n % 2 == taste]
        choose.shuffle(own)
        cold = number < 4
        topics.append({"_id": query, "text": "ambiguous", "user": f"u{number}", "ts": "2020-02-01"})
        events += [
            {"user": f"u{number}", "item": f"d{n}", "ts": f"2020-01-{day:02}"}
            for day, n in enumerate(own[:6], 1)
            if not cold
        ]
        events.append({"user": f"u{number}", "item": f"d{own[-1]}", "ts": "2020-03-01"})  # after the question
        lines["qrels.txt"] += [f"{query} 0 d{n} 1" for n in own[8:11]]
        mixed = choose.sample(range(DOCUMENTS), DOCUMENTS)
        for name, wanted in (("anonymous", None), ("personal", taste), ("shuffled", 1 - taste)):
            ordered = (
                mixed
                if wanted is None or cold
                else sorted(mixed, key=lambda n, wanted=wanted: n % 2 != wanted)
            )
            lines[f"{name}.run"] += [
                f"{query} Q0 d{n} {place} {DOCUMENTS - place} {name}" for place, n in enumerate(ordered, 1)
            ]
    for name, content in lines.items():
        (tmp_path / name).write_text("\n".join(content) + "\n", encoding="utf-8")
    for name, records in (("topics.jsonl", topics), ("events.jsonl", events)):
        (tmp_path / name).write_text("".join(json.dumps(one) + "\n" for one in records), encoding="utf-8")
    return tmp_path


JUDGED = ("--qrels", "qrels.txt", "--topics", "topics.jsonl", "--events", "events.jsonl")
RUNS = ("--anonymous", "anonymous.run", "--personal", "personal.run")


def test_a_study_is_read_from_top_to_bottom(files: Path, quire: Quire) -> None:
    result = quire("eval", "personal", *JUDGED, *RUNS, "--shuffled", "shuffled.run")
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == "nDCG@10, 24 readers, 24 queries"
    text = " ".join(result.output.split())
    assert "Personalising gains +0." in text
    assert "the gain is personal." in text
    assert "all 4 queries without a history have the anonymous list" in text
    assert "no relevant documents that are in the reader's own history" in text
    assert "Shown in the first 10" in text
    assert max(map(cells, lines)) <= 80


def test_json_holds_the_whole_study(files: Path, quire: Quire) -> None:
    options = ("--shuffled", "shuffled.run", "-m", "nDCG@10", "-m", "RR", "--json")
    result = quire("eval", "personal", *JUDGED, *RUNS, *options)
    assert result.exit_code == 0, result.output
    study = json.loads(result.output)
    assert [part["measure"] for part in study["measures"]] == ["nDCG@10", "RR"]
    part = study["measures"][0]
    assert part["gain"]["difference"] > 0.1
    assert part["control"]["difference"] < 0
    assert study["cold"] == {"queries": 4, "different": 0, "examples": []}
    assert [group["name"] for group in part["groups"]] == ["0", "5-19"]
    assert (study["queries"], study["readers"]) == (24, 24)


def test_the_same_run_for_a_control_is_found_out(files: Path, quire: Quire) -> None:
    result = quire("eval", "personal", *JUDGED, *RUNS, "--shuffled", "personal.run")
    text = " ".join(result.output.split())
    assert "most of the gain, 100% (100% to 100%), remains with somebody else's profile" in text
    assert "personal (shuffled)" in text


def test_without_a_control_the_verdict_says_so_and_read_documents_can_be_hidden(
    files: Path, quire: Quire
) -> None:
    result = quire("eval", "personal", *JUDGED, *RUNS, "--hide-read", "--test", "t", "--catalogue", 80)
    assert result.exit_code == 0, result.output
    assert "whether that is personal is not known" in " ".join(result.output.split())


def test_a_leak_and_a_changed_cold_start_are_marked(files: Path, quire: Quire) -> None:
    judged = (files / "qrels.txt").read_text(encoding="utf-8").split()
    leak = {"user": "u5", "item": next(doc for q, doc in zip(judged, judged[2:], strict=False) if q == "q5"),
            "ts": "2020-01-09"}  # fmt: skip
    with (files / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(leak) + "\n")
    run = (files / "personal.run").read_text(encoding="utf-8").splitlines()
    (files / "personal.run").write_text("\n".join(run[1:]) + "\n", encoding="utf-8")
    result = quire("eval", "personal", *JUDGED, *RUNS)
    text = " ".join(result.output.split())
    assert "! 1 relevant documents that are in the reader's own history: q5 d" in text
    assert "! 1 of 4 queries without a history differ from the anonymous list, such as q0" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--events", "events.jsonl", *RUNS), "name the judgements with --qrels"),
        (JUDGED, "name two runs"),
        ((*JUDGED, *RUNS, "--collection", "folder"), "--collection stands for"),
        ((*JUDGED, *RUNS, "--future", "events.jsonl"), "belong together"),
        ((*JUDGED, *RUNS, "-m", "nDCC@10"), "nDCC@10"),
        (RUNS, "--events"),
    ],
)
def test_what_is_missing_is_said(files: Path, quire: Quire, arguments: tuple[str, ...], says: str) -> None:
    result = quire("eval", "personal", *arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_a_malformed_event_names_its_line(files: Path, quire: Quire) -> None:
    with (files / "events.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"user": "u1"}\n')
    count = len((files / "events.jsonl").read_text(encoding="utf-8").splitlines())
    result = quire("eval", "personal", *JUDGED, *RUNS)
    assert result.exit_code == 2
    assert f"events.jsonl:{count}: no doc_id" in result.output


@pytest.mark.parametrize(
    ("way", "future"),
    [
        (("--at", "2020-02-15"), 20),
        (("--at-share", "0.1"), 20),
        (("--last", "1"), 20),
        (("--share", "0.3"), 40),
    ],
)
def test_a_log_is_split_and_recommendations_are_judged_on_it(
    files: Path, quire: Quire, way: tuple[str, str], future: int
) -> None:
    result = quire("eval", "split", "events.jsonl", *way, "--history", "h.csv", "--future", "f.jsonl.gz")
    assert result.exit_code == 0, result.output
    assert f"future   {future} events of 20 readers" in result.output
    assert "no documents that are in a reader's history and future" in result.output
    split = quire(
        "eval", "split", "events.jsonl", *way, "--history", "h.csv", "--future", "f.jsonl.gz", "--json"
    )
    assert json.loads(split.output)["future"] == {"events": future, "readers": 20}
    run = (files / "personal.run").read_text(encoding="utf-8").replace("q", "u")
    (files / "by_user.run").write_text(run, encoding="utf-8")
    options = ("--events", "h.csv", "--future", "f.jsonl.gz", "--recommended", "by_user.run")
    result = quire("eval", "personal", *options)
    assert result.exit_code == 0, result.output
    assert "Recommendations to 20 readers" in result.output
    assert max(map(cells, result.output.splitlines())) <= 80
    found = json.loads(quire("eval", "personal", *options, "--json").output)
    assert [one["run"] for one in found] == ["popularity", "personal"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--history", "h.csv", "--future", "f.csv"), "one of --at"),
        (("--history", "h.csv", "--future", "f.csv", "--last", "1", "--share", "0.3"), "one of --at"),
        (("--history", "h.csv", "--future", "h.csv", "--last", "1"), "three different files"),
        (("--history", "h.csv", "--future", "f.csv", "--at", "soon"), "--at: a time is ISO 8601"),
        (("--history", "h.csv", "--future", "f.csv", "--at-share", "0"), "over 0 and under 1"),
        (("--history", "h.csv", "--future", "f.csv", "--at", "2030-01-01"), "no events for the future"),
        (("--history", "h.csv", "--future", "f.csv", "--last", "1", "--kind", "like"), "kinds found: read"),
    ],
)
def test_what_cannot_be_split_is_said(
    files: Path, quire: Quire, arguments: tuple[str, ...], says: str
) -> None:
    result = quire("eval", "split", "events.jsonl", *arguments)
    assert result.exit_code == 2
    assert says in result.output
    assert not (files / "h.csv").exists()
