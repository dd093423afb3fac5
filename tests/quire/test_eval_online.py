"""quire eval online: what it prints is what eval.online finds."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from click.testing import Result

from eval.formats import read_run
from eval.online import (
    analyse_interleaving,
    examination,
    places_estimate,
    rankings_estimate,
    read_log,
    team_draft,
)
from eval.online.simulation import position_reader, simulate

DOCS = ("d0", "d1", "d2", "d3")
WORTH = {("q", doc): 0.8 - 0.2 * at for at, doc in enumerate(DOCS)}
LOOKED = (1.0, 0.6, 0.4, 0.2)


def write(path: Path, records: list[dict[str, object]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def clicks(tmp_path: Path) -> Path:
    choose = random.Random(1)
    lists = [("q", choose.sample(DOCS, 4)) for _ in range(1500)]
    records: list[dict[str, object]] = [
        {"query_id": "q", "user_id": f"u{at % 60}", "shown": seen.shown, "clicks": [seen.shown[c] for c in seen.clicks],
         "propensity": 1 / 24, "propensities": [0.25] * 4}
        for at, seen in enumerate(simulate(lists, position_reader(LOOKED, WORTH, 2)))
    ]  # fmt: skip
    return write(tmp_path / "clicks.jsonl", records)


def test_clicks(quire: object, clicks: Path) -> None:
    found = run(quire, "clicks", clicks, "--json")
    said = json.loads(found.stdout)
    looked = examination(read_log(clicks).impressions)
    assert said["examination"]["em"]["values"] == pytest.approx(looked.values)
    assert said["impressions"] == 1500
    assert [one["doc_id"] for one in said["relevance"]] == list(DOCS)
    assert said["going_on"][3] is None
    shown = run(quire, "clicks", clicks, "--documents", 2).stdout
    assert "1,500 impressions" in shown
    assert "2 of 4 documents" in shown
    for value in looked.values:
        assert f"{value:.4f}" in shown


def test_a_log_that_never_moves_says_what_it_cannot_say(quire: object, tmp_path: Path) -> None:
    record = {"query_id": "q", "shown": ["a", "b"], "clicks": ["b"]}
    shown = run(quire, "clicks", write(tmp_path / "log.jsonl", [record] * 20)).stdout
    assert "cannot be told from how relevant" in " ".join(shown.split())
    assert "–" in shown


def test_interleaving(quire: object, tmp_path: Path) -> None:
    read = position_reader(LOOKED, WORTH, 3)
    records = []
    for at in range(400):
        mixed = team_draft(DOCS, DOCS[::-1], 4, seed=at)
        picked = [mixed.doc_ids[place] for place in read("q", mixed.doc_ids)]
        records.append(
            {
                "query_id": "q",
                "user_id": f"u{at % 40}",
                "shown": mixed.doc_ids,
                "teams": mixed.teams,
                "clicks": picked,
            }
        )
    log = write(tmp_path / "log.jsonl", records)
    said = json.loads(run(quire, "interleaving", log, "--json").stdout)
    expected = analyse_interleaving(read_log(log).impressions)
    assert said["winner"] == expected.winner == "A"
    assert (said["wins_a"], said["wins_b"], said["ties"]) == (expected.wins_a, expected.wins_b, expected.ties)
    shown = run(quire, "interleaving", log, "--names", "new", "old").stdout
    assert "new is better than old" in shown
    assert f"{expected.wins_a:,}" in shown


def test_counterfactual(quire: object, clicks: Path, tmp_path: Path) -> None:
    path = tmp_path / "best.run"
    path.write_text("".join(f"q Q0 {doc} {at} {9 - at} best\n" for at, doc in enumerate(DOCS, 1)))
    impressions, best = read_log(clicks).impressions, read_run(path)
    whole = json.loads(run(quire, "counterfactual", clicks, "--run", path, "--json").stdout)["estimates"]
    assert whole[0]["snips"] == pytest.approx(rankings_estimate(impressions, best).snips)
    assert whole[0]["clip"] is None
    expected = places_estimate(impressions, best, reward="dcg", clip=2.0)
    by_place = (
        "counterfactual",
        clicks,
        "--run",
        path,
        "--unit",
        "places",
        "--reward",
        "dcg",
        "--clips",
        "inf,2",
    )
    said = json.loads(run(quire, *by_place, "--json").stdout)["estimates"]
    assert [one["clip"] for one in said] == [None, 2.0]
    assert said[1]["ips"] == pytest.approx(expected.ips)
    shown = run(quire, *by_place).stdout
    assert f"{expected.ips:.4f}" in shown
    assert f"{expected.logged:.4f}" in shown


def test_problems_are_said_on_standard_error(quire: object, clicks: Path) -> None:
    bad = {"query_id": "q", "shown": ["a"], "clicks": ["z"]}
    flood = {"query_id": "q", "user_id": "robot", "shown": list(DOCS), "clicks": []}
    with clicks.open("a") as file:
        file.write("".join(json.dumps(record) + "\n" for record in [bad] * 7 + [flood] * 300) + "{broken\n")
    found = run(quire, "clicks", clicks)
    assert "7 impossible (left out)" in found.stderr
    assert "line 1501: a click on 'z', which was not shown" in found.stderr
    assert "and 2 more" in found.stderr
    assert "1 malformed" in found.stderr
    assert "300 of 1,800 impressions are of reader 'robot'" in found.stderr
    assert "1,800 impressions" in found.stdout
    assert "1,500 impressions" in run(quire, "clicks", clicks, "--without-floods").stdout


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("clicks", "absent.jsonl"), 3, "No such file"),
        (("clicks", "empty.jsonl"), 2, "no impression"),
        (("interleaving", "clicks.jsonl"), 2, "without teams"),
        (("counterfactual", "clicks.jsonl"), 2, "no target"),
        (("counterfactual", "clicks.jsonl", "--clips", "many"), 2, "numbers separated by commas"),
        (("counterfactual", "clicks.jsonl", "--clips", "0"), 2, "above 0"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    quire: object, clicks: Path, arguments: tuple[str, ...], status: int, said: str
) -> None:
    clicks.with_name("empty.jsonl").write_text("")
    result: Result = quire("eval", "online", *arguments)  # type: ignore[operator]
    assert result.exit_code == status
    assert said in result.stderr


def run(quire: object, *arguments: object) -> Result:
    result: Result = quire("eval", "online", *arguments)  # type: ignore[operator]
    assert result.exit_code == 0, result.output
    return result
