"""`quire summarise`: what a person reads and what a program reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.summary import Keyphrase, Summary, SummarySentence
from quire.cli import State
from quire.commands.summarise import lines, summarise_command
from quire.terminal import Screen, cells

Quire = Callable[..., Result]


def summarise(*arguments: object) -> Result:
    return CliRunner().invoke(
        summarise_command, [str(argument) for argument in arguments], obj=State(), standalone_mode=False
    )


def test_it_shows_the_documents_own_sentences_and_names_it(index: Path) -> None:
    result = summarise(index, "lighthouse.md", "--query", "keeper")
    assert result.exception is None, result.output
    assert result.output.startswith("The lighthouse\n")
    assert "«keeper» trims the wick" in " ".join(result.output.split())


def test_explain_says_why_and_where(index: Path) -> None:
    shown = " ".join(summarise(index, "lighthouse.md", "--query", "keeper", "--explain").output.split())
    assert "taken 1st, closeness" in shown
    assert "has keeper" in shown
    assert "characters " in shown


def test_json_leads_back_to_the_document(index: Path) -> None:
    values = json.loads(summarise(index, "zh.md", "--length", "40", "--json").output)
    assert values["doc_id"] == "zh.md"
    assert values["sentences"]
    assert sum(len(each["text"]) for each in values["sentences"]) <= 40
    assert all(each["end"] - each["start"] == len(each["text"]) for each in values["sentences"])
    assert isinstance(values["keyphrases"], list)


def test_a_reader_without_a_past_changes_nothing(index: Path) -> None:
    plain = json.loads(summarise(index, "lighthouse.md", "--json").output)
    assert json.loads(summarise(index, "lighthouse.md", "--json", "--user", "ann").output) == plain
    assert plain["tilted"] is False


def test_what_cannot_be_done_is_said(index: Path) -> None:
    assert "no document 'who'" in str(summarise(index, "who").exception)
    assert "from 20 to 100,000" in str(summarise(index, "zh.md", "--length", "5").exception)


@pytest.mark.parametrize("width", [30, 57, 100])
def test_no_line_is_wider_than_the_screen_and_no_escape_gets_through(width: int) -> None:
    text = "灯塔的灯每十二秒转一圈 and a \x1b[31mword that is " + "very" * 20 + " long."
    sentence = SummarySentence(text, 5, 5 + len(text), 1, 0.5, ((5, 7),), 0.5, 3, whole=False)
    made = Summary(
        "d", "A title \x1b[2J" * 9, (sentence,), notices=("A notice that is long enough to wrap here.",)
    )
    shown = list(lines(made, (Keyphrase("twelve \x1b seconds", 1.0, 2, 1),), Screen(width), explain=True))
    assert max(map(cells, shown)) <= width
    assert not any("\x1b" in line for line in shown)
    assert any("p. 3" in line for line in shown)
    assert "«灯塔»" in "".join(shown)


def test_a_list_can_show_summaries_in_the_place_of_passages(quire: Quire, index: Path) -> None:
    plain = quire("search", index, "tide", "--json")
    told = quire("search", index, "tide", "--json", "--summaries")
    assert told.exit_code == 0, told.output
    for hit, bare in zip(json.loads(told.stdout)["hits"], json.loads(plain.stdout)["hits"], strict=True):
        alone = quire("summarise", index, hit["doc_id"], "--query", "tide", "--length", "300", "--json")
        summary = hit.pop("summary")
        assert summary == {
            name: value for name, value in json.loads(alone.stdout).items() if name != "keyphrases"
        }
        assert summary["sentences"]
        assert hit == bare
    shown = quire("search", index, "tide", "--summaries", "-k", "1")
    assert json.loads(told.stdout)["hits"][0]["summary"]["sentences"][0]["text"][:20] in shown.stdout.replace(
        "«", ""
    ).replace("»", "")
