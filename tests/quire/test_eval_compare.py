"""`quire eval compare` and `audit`: what a person reads at 80 columns, what a program reads, what is refused."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from quire.columns import Column, table_lines
from quire.terminal import Screen, cells

pytest.importorskip("ir_measures", reason="the extra eval is not installed")
pytest.importorskip("scipy", reason="the extra eval is not installed")

Quire = Callable[..., Result]
QUERIES = 12


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A BEIR folder of 60 documents with years; a baseline, a better run, and one that puts new documents first."""
    chance = random.Random(4)
    root = tmp_path / "world"
    root.mkdir()
    years = {f"d{number:02}": 1960 + number for number in range(60)}
    with gzip.open(root / "corpus.jsonl.gz", "wt", encoding="utf-8") as corpus:
        for doc, year in years.items():
            text = "word " * chance.randint(5, 50)
            record = {
                "_id": doc,
                "title": f"Title of {doc}",
                "text": text,
                "metadata": {"year": year, "kind": "a"},
            }
            corpus.write(json.dumps(record) + "\n")
    relevant = {f"q{number}": sorted(chance.sample(sorted(years), 3)) for number in range(QUERIES)}
    (root / "queries.jsonl").write_text(
        "".join(
            json.dumps({"_id": query, "text": f"what about \x1b[31m{query}?"}) + "\n" for query in relevant
        )
    )
    rows = [f"{query}\t{doc}\t1\n" for query, docs in relevant.items() for doc in docs]
    (root / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "".join(rows))

    def write(name: str, worth: Callable[[str, str], float]) -> None:
        lines = []
        for query in relevant:
            ranked = sorted(years, key=lambda doc: -worth(query, doc))[:30]
            lines += [
                f"{query} Q0 {doc} {rank} {1 / rank:.6f} {name}\n" for rank, doc in enumerate(ranked, 1)
            ]
        (tmp_path / f"{name}.run").write_text("".join(lines))

    write("base", lambda query, doc: (doc in relevant[query]) + chance.gauss(0, 0.6))
    write("better", lambda query, doc: (doc in relevant[query]) + chance.gauss(0, 0.3))
    write("newest", lambda _, doc: years[doc])
    return tmp_path


def test_a_person_reads_a_table_that_fits(quire: Quire, world: Path) -> None:
    result = quire("eval", "compare", "--qrels", world / "world/qrels.tsv", world / "base.run", world / "better.run",
                   world / "newest.run", "-m", "nDCG@10", "-m", "P@5")  # fmt: skip
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == "nDCG@10 on 12 queries, against base"
    assert lines[1].split() == "system mean differs its interval corrected p won tied lost".split()
    assert lines[2].split()[0] == "base"
    assert len(lines[2].split()) == 2
    better = lines[3].split()
    assert better[0] == "better"
    assert better[2].startswith("+")
    assert sum(map(int, better[-3:])) == QUERIES
    assert "▼" in lines[4]
    assert "P@5 on 12 queries, against base" in lines
    assert "corrected by Holm over the 4 comparisons shown" in " ".join(lines)
    assert all(cells(line) <= 80 for line in lines)


def test_a_wide_screen_shows_more(quire: Quire, world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    result = quire(
        "eval", "compare", "--qrels", world / "world/qrels.tsv", world / "base.run", world / "better.run"
    )
    assert "effect" in result.stdout
    assert "detectable" in result.stdout
    assert "not corrected" in result.stdout  # one comparison needs none


def test_queries_are_shown_with_text_grades_and_titles(quire: Quire, world: Path) -> None:
    result = quire("eval", "compare", "--collection", world / "world", world / "base.run", world / "newest.run",
                   "--queries", "2", "--hits", "3")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "Where newest loses most against base, by nDCG@10" in result.stdout
    assert "what about [31mq" in result.stdout  # without the escape
    assert "\x1b" not in result.stdout
    assert "[·] d59 Title of d59" in result.stdout
    assert "[1] d" in result.stdout
    assert all(cells(line) <= 80 for line in result.stdout.splitlines())


def test_a_program_reads_json(quire: Quire, world: Path) -> None:
    result = quire("eval", "compare", "--collection", world / "world", world / "base.run", world / "better.run",
                   world / "newest.run", "--all-pairs", "--test", "randomisation", "--correction",
                   "benjamini-hochberg", "--queries", "1", "--json")  # fmt: skip
    record = json.loads(result.stdout)
    assert record["baseline"] is None
    assert record["family"] == 3
    assert {(contrast["system"], contrast["baseline"]) for contrast in record["contrasts"]} == {
        ("better", "base"),
        ("newest", "base"),
        ("newest", "better"),
    }
    assert list(record["queries"]) == ["better", "newest"]
    assert record["queries"]["newest"]["lost"][0]["baseline_hits"][0]["rank"] == 1


def test_every_pair_has_a_line(quire: Quire, world: Path) -> None:
    result = quire("eval", "compare", "--qrels", world / "world/qrels.tsv", world / "base.run", world / "better.run",
                   world / "newest.run", "--all-pairs")  # fmt: skip
    assert "better over base" in result.stdout
    assert "newest over better" in result.stdout
    assert all(cells(line) <= 80 for line in result.stdout.splitlines())


def test_a_run_that_misses_queries_is_pointed_out(quire: Quire, world: Path) -> None:
    kept = [line for line in (world / "better.run").read_text().splitlines() if not line.startswith("q3 ")]
    (world / "part.run").write_text("\n".join(kept) + "\n")
    result = quire(
        "eval", "compare", "--qrels", world / "world/qrels.tsv", world / "base.run", world / "part.run"
    )
    assert "better answers 11 of 12 judged queries" in result.stdout


def test_runs_that_give_themselves_one_name_go_by_their_files(quire: Quire, world: Path) -> None:
    (world / "again.run").write_text((world / "base.run").read_text())
    result = quire(
        "eval", "compare", "--qrels", world / "world/qrels.tsv", world / "base.run", world / "again.run"
    )
    assert result.exit_code == 0, result.output
    assert "\n  again" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--qrels", "world/qrels.tsv", "base.run"], 2, "name two runs at least"),
        (["base.run", "better.run"], 2, "name the judgements"),
        (
            ["--qrels", "world/qrels.tsv", "--collection", "world", "base.run", "better.run"],
            2,
            "name the judgements",
        ),
        (
            ["--qrels", "world/qrels.tsv", "base.run", "better.run", "-m", "nDGC@10"],
            2,
            "did you mean nDCG@10",
        ),
        (["--qrels", "world/qrels.tsv", "base.run", "better.run", "-m", "NumQ"], 2, "not the mean"),
        (["--qrels", "nowhere.tsv", "base.run", "better.run"], 3, "nowhere.tsv"),
        (["--qrels", "world/qrels.tsv", "base.run", "world/corpus.jsonl.gz"], 2, "corpus.jsonl.gz"),
    ],
)
def test_what_cannot_be_compared_says_so_in_a_line(
    quire: Quire, world: Path, arguments: list[str], status: int, says: str
) -> None:
    result = quire("eval", "compare", *arguments)
    assert result.exit_code == status, result.output
    assert says in result.stderr
    assert "Traceback" not in result.output


def test_an_audit_finds_the_year(quire: Quire, world: Path) -> None:
    result = quire("eval", "audit", world / "world", "--baseline", world / "base.run", world / "newest.run",
                   world / "better.run")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "nDCG@10 on 12 queries of world" in result.stdout
    assert "year        newest first" not in result.stdout  # a number, not a date
    assert "highest first" in result.stdout
    assert "What explains newest's difference to base" in result.stdout
    assert "kind orders nothing" in result.stdout
    assert all(cells(line) <= 80 for line in result.stdout.splitlines())
    plain = json.loads(quire("eval", "audit", world / "world", "--baseline", world / "base.run",
                             world / "newest.run", "--json").stdout)  # fmt: skip
    assert {row["shortcut"] for row in plain["explained"]} == {"characters", "year"}
    year = next(row for row in plain["explained"] if row["shortcut"] == "year")
    assert year["exposure"] > 0.9


def test_an_audit_counts_the_passages_of_an_index(quire: Quire, world: Path) -> None:
    assert quire("index", world / "world/corpus.jsonl.gz", world / "made").exit_code == 0
    result = quire("eval", "audit", world / "world", "--baseline", world / "base.run", world / "newest.run",
                   "--index", world / "made", "--json")  # fmt: skip
    assert result.exit_code == 0, result.output
    record = json.loads(result.stdout)
    assert "passages" in {row["shortcut"] for row in record["alone"]} | record["skipped"].keys()


def test_an_audit_with_the_index_of_something_else_is_refused(quire: Quire, world: Path, index: Path) -> None:
    result = quire("eval", "audit", world / "world", "--baseline", world / "base.run", world / "newest.run",
                   "--index", index)  # fmt: skip
    assert result.exit_code == 2
    assert "holds no document of world" in result.stderr


# The table itself.


def test_columns_go_by_rank_until_the_rest_fits() -> None:
    columns = [
        Column("name", ["a name", "another"], left=True),
        Column("number", ["1", "22"]),
        Column("more", ["3", "4"], rank=1),
        Column("most", ["5", "6"], rank=2),
    ]
    wide = list(table_lines(columns, Screen(80)))
    assert wide == [
        "name     number  more  most",
        "a name        1     3     5",
        "another      22     4     6",
    ]
    assert list(table_lines(columns, Screen(21)))[1] == "a name        1     3"
    assert list(table_lines(columns, Screen(20)))[1] == "a name        1"


def test_a_long_first_column_is_cut_and_wide_characters_are_counted() -> None:
    columns = [Column("name", ["检索系统的名字很长很长很长", "b"], left=True), Column("number", ["1", "2"])]
    lines = list(table_lines(columns, Screen(24)))
    assert all(cells(line) <= 24 for line in lines)
    assert lines[1].endswith("…       1") or lines[1].endswith("…        1")
