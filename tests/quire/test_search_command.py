"""`quire search` and `why-not`: what a person reads and what a program reads."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from engine.ranking import HitPassage, Snippet
from quire.results import passage_lines
from quire.terminal import Screen

Quire = Callable[..., Result]


def ids(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return [hit["doc_id"] for hit in json.loads(result.stdout)["hits"]]


def test_a_hit_shows_its_title_place_marked_words_and_account(quire: Quire, index: Path) -> None:
    result = quire("search", index, "keeper", "wick", "--lexical")
    assert result.exit_code == 0
    first = result.stdout.split("\n\n")[0]
    assert re.search(r"^ 1\. The lighthouse +[\d.]+$", first, re.MULTILINE)
    assert "    lighthouse.md\n" in first
    assert "Keeper" in first
    assert "«keeper»" in first
    assert "«wick»" in first
    assert re.search(r"words [\d.]+ \+ document [\d.]+ \+ meaning [\d.]+", first)
    assert "#" not in first
    assert re.search(r"1–1 of 1 document found, in \d+ ms", result.stdout)


def test_every_passage_below_another_says_where_it_stands() -> None:
    screen = Screen(width=80)

    def shown(*headings: str, first: bool) -> list[str]:
        passage = HitPassage(0, 9, headings, None, 1.0, Snippet("It pulls.", 0, 9))
        return [line.strip() for line in passage_lines(passage, screen, "Tides", first=first)]

    assert shown("Tides", first=True) == shown(first=False) == ["It pulls."]
    assert shown("Tides", first=False) == ["Tides", "It pulls."]
    assert shown("Tides", "The moon", first=False) == ["The moon", "It pulls."]


def test_explain_shows_the_terms_that_add_up_to_the_score(quire: Quire, index: Path) -> None:
    result = quire("search", index, "keeper", "--explain", "-k", "1")
    score = float(re.search(r"(\d\.\d{3})$", result.stdout.splitlines()[0]).group(1))  # type: ignore[union-attr]
    terms = [float(n) for n in re.findall(r"^    (-?\d\.\d{4}) \w+: ", result.stdout, re.MULTILINE)]
    assert len(terms) >= 2
    assert sum(terms) == pytest.approx(score, abs=1e-3)
    assert "BM25 word by word: keeper" in result.stdout


def test_no_line_is_wider_than_the_terminal(
    quire: Quire, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from quire.terminal import cells

    for columns in (30, 41, 60, 120):
        monkeypatch.setenv("COLUMNS", str(columns))
        for arguments in (["tide", "harbour"], ["灯塔"], ["lamp", "--explain"]):
            result = quire("search", index, *arguments)
            assert result.exit_code == 0
            widest = max(result.stdout.splitlines(), key=cells)
            assert cells(widest) <= columns, widest


def test_chinese_is_found_and_marked(quire: Quire, index: Path) -> None:
    result = quire("search", index, "守塔人", "--lexical")
    assert " 1. 灯塔" in result.stdout
    assert "«守塔人»" in result.stdout.replace("\n      ", "")


def test_json_has_the_whole_answer(quire: Quire, index: Path) -> None:
    answer = json.loads(quire("search", index, "tide", "--json", "--explain").stdout)
    assert answer["query"] == "tide"
    assert {hit["doc_id"] for hit in answer["hits"]} >= {"notes/tide.txt", "harbour.md"}
    hit = answer["hits"][0]
    assert hit["passages"][0]["snippet"]["highlights"]
    assert sum(term["value"] for term in hit["ledger"]["terms"]) == pytest.approx(hit["score"], abs=1e-6)


def test_pages_by_cursor_join_up_to_one_long_page(quire: Quire, index: Path) -> None:
    query = ["search", index, "tide", "lighthouse", "weather", "--json", "--lexical"]
    whole = ids(quire(*query, "-k", "10"))
    assert len(whole) >= 3
    pages: list[str] = []
    cursor: list[str] = []
    while True:
        result = quire(*query, "-k", "1", *cursor)
        pages += ids(result)
        token = json.loads(result.stdout)["cursor"]
        if token is None:
            break
        cursor = ["--cursor", token]
    assert pages == whole


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("lang=en", {"r1", "r3"}),
        ("lang:de", {"r2"}),
        ("lang!=en", {"r2"}),
        ("year>=2005", {"r2", "r3"}),
        ("year>2005", {"r3"}),
        ("year < 2005", {"r1"}),
        ("year=1999..2005", {"r1", "r2"}),
        ("year=1999,2012", {"r1", "r3"}),
        ('{"year": {"gte": 2000}, "lang": "en"}', {"r3"}),
    ],
)
def test_filters(quire: Quire, records: Path, condition: str, found: set[str]) -> None:
    assert set(ids(quire("search", records, "record", "--json", "--filter", condition))) == found


def test_filters_all_hold_and_facets_count(quire: Quire, records: Path) -> None:
    both = quire("search", records, "record", "--json", "--filter", "lang=en", "--filter", "year>2000")
    assert ids(both) == ["r3"]
    text = quire("search", records, "record", "--facet", "lang", "--facet", "year").stdout
    assert "lang: en (2), de (1)" in text


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--filter", "lagn=en"], "lang"),
        (["--filter", "nonsense"], "expected field=value"),
        (["--filter", "{bad json"], "--filter"),
        (["--filter", "year=soon"], "year"),
        (["-k", "-1"], "k is how many results are wanted"),
        (["-k", "many"], "is not a valid integer"),
        (
            ["--rerank-depth", "-1"],
            "search.rerank_depth (--rerank-depth): rerank_depth is a whole number from 0",
        ),
        (["--budget-ms", "-1"], "search.budget_ms (--budget-ms): budget_ms is a whole number from 0"),
        (["--alpha", "2"], "search.alpha (--alpha): alpha is a number from 0 to 1"),
        (["--cursor", "rubbish"], "cursor is damaged"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_line(
    quire: Quire, records: Path, arguments: list[str], says: str
) -> None:
    result = quire("search", records, "record", *arguments)
    assert result.exit_code == 2, result.output
    assert says in " ".join(result.stderr.split())
    assert result.stdout == ""


@pytest.mark.parametrize("query", ["", " ", "!!!", "the", "😀", "\x07\x1b[31mred", "שלום", "a" * 20_000])
def test_any_query_gets_an_answer_without_escape_sequences(quire: Quire, index: Path, query: str) -> None:
    result = quire("search", index, query)
    assert result.exit_code == 0, result.output
    assert "\x1b" not in result.stdout
    assert "\x07" not in result.stdout
    assert result.stdout.strip()


def test_escape_sequences_in_a_document_do_not_reach_the_terminal(quire: Quire, tmp_path: Path) -> None:
    (tmp_path / "evil.txt").write_text("An \x1b]0;owned\x07 anchor \u202egnirts\u202c here.\n")
    assert quire("index", tmp_path / "evil.txt", tmp_path / "evil", "-q").exit_code == 0
    shown = quire("search", tmp_path / "evil", "anchor").stdout
    assert "«anchor»" in shown
    assert not re.search("[\x00-\x09\x0b-\x1f\u202a-\u202e]", shown)


def test_nothing_found_is_said(quire: Quire, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "a.txt").write_text("Only anchors.\n")
    assert quire("index", tmp_path / "empty", tmp_path / "index", "-q").exit_code == 0
    result = quire("search", tmp_path / "index", "zebra", "--lexical")
    assert result.exit_code == 0
    assert "Nothing found." in result.stdout


def test_a_reranked_answer_says_so(quire: Quire, index: Path) -> None:
    asked = ["search", index, "tide lighthouse weather", "--reranker", "default"]
    shown = quire(*asked).stdout
    assert re.search(r"of 4 documents found, 4 reranked, in \d+ ms", shown)
    assert "+ rerank 0." in " ".join(shown.split())
    explained = quire(*asked, "--explain").stdout
    assert re.search(
        r"^    0\.\d{4} rerank: cross-encoder 0\.\d\d, × 0\.05, of the best", explained, re.MULTILINE
    )
    assert re.search(r"\d(st|nd|rd|th) before reranking, \d(st|nd|rd|th) after", " ".join(explained.split()))
    answer = json.loads(quire(*asked, "--json").stdout)
    assert answer["reranked_depth"] == 4
    assert {hit["ledger"]["ranks"]["reranked"] for hit in answer["hits"]} == {1, 2, 3, 4}


@pytest.mark.parametrize(
    ("options", "depth"),
    [
        ([], 4),
        (["--reranker", "none"], 0),
        (["--no-rerank"], 0),
        (["--lexical"], 0),
        (["--dense"], 0),
        (["--rerank-depth", "2"], 2),
        (["--rerank-depth", "2", "--no-rerank"], 0),
        (["--budget-ms", "0"], 0),
    ],
)
def test_how_much_is_reranked(
    quire: Quire, index: Path, options: list[str], depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUIRE_SEARCH_RERANKER", "default")
    answer = json.loads(quire("search", index, "lighthouse tide", "--json", *options).stdout)
    assert answer["reranked_depth"] == depth
    terms = {term["name"] for hit in answer["hits"] for term in hit["ledger"]["terms"]}
    assert ("rerank" in terms) == (depth > 0)
    assert any("time budget" in notice for notice in answer["notices"]) == ("--budget-ms" in options)


def test_why_not_names_the_stage(quire: Quire, records: Path) -> None:
    result = quire("why-not", records, "r2", "storms", "--filter", "lang=en")
    assert result.exit_code == 0
    assert "filter" in result.stdout
    answer = json.loads(quire("why-not", records, "nope", "storms", "--json").stdout)
    assert answer["doc_id"] == "nope"
    assert "The index has no document 'nope'" in " ".join(answer["sentences"])


def test_the_prompt_answers_pages_explains_and_ends(quire: Quire, index: Path) -> None:
    lines = [
        ":why 1",
        "tide lighthouse weather",
        ":why 1",
        ":more",
        ":words",
        "+",
        ":nonsense",
        "tide",
        ":quit",
        "x",
    ]
    result = quire("search", index, "-k", "1", stdin="\n".join(lines) + "\n")
    assert result.exit_code == 0
    assert "Search for something first." in result.stdout
    assert " 1. " in result.stdout
    assert " 2. " in result.stdout
    assert "From now on by words alone." in result.stdout
    assert ":more      the next page" in result.stdout
    assert result.stdout.count("documents found") + result.stdout.count("document found") >= 3


def test_the_prompt_ends_with_its_input(quire: Quire, index: Path) -> None:
    assert quire("search", index, stdin="").exit_code == 0
