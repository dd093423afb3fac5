"""The page speaks English and Chinese, and says the same in both."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

import engine.service.box.page.rendering as rendering
from engine.service.box.words.words import CHINESE, ENGLISH, LANGUAGES, Words, keys, negotiated

_BOX = Path(rendering.__file__).parents[1]
_ASKED = re.compile(r"""\b(?:t|words|frame\.words)\(\s*["']([a-z0-9._-]+)["']\s*[,)]""")


def holes(said: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(said) if name}


def test_what_is_said_in_both_languages_has_the_same_values_in_it() -> None:
    english, chinese = keys(ENGLISH), keys(CHINESE)
    # What English makes of a field's name by itself, Chinese has to be told.
    assert {key for key in set(english) ^ set(chinese) if not key.startswith("field.")} == set()
    for key in set(english) & set(chinese):
        if not key.startswith("home.how.e"):
            assert holes(english[key]) == holes(chinese[key]), key


def test_whatever_pages_ask_for_is_there() -> None:
    sources = [*_BOX.glob("templates/*.html"), *_BOX.rglob("*.py")]
    asked = {(key, path.name) for path in sources for key in _ASKED.findall(path.read_text("utf-8"))}
    assert len(asked) > 100
    assert [pair for pair in asked if pair[0] not in keys(ENGLISH)] == []


def test_one_and_many() -> None:
    assert Words(ENGLISH)("found", n=1) == "1 document"
    assert Words(ENGLISH)("found", n=1234) == "1,234 documents"
    assert Words(CHINESE)("found", n=1) == "1 篇文档"


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de, zh;q=0.5, en;q=0.4", "zh"),
        ("fr", "en"),
        ("en;q=0, zh;q=0.1", "zh"),
        ("zh;q=x, ;;,, en;q=0.2", "en"),
        ("zh;q=nan, en;q=7, *;q=1", "en"),
        ("zh," * 100_000, "zh"),
    ],
)
def test_a_browser_is_answered_in_what_it_likes_best(accepted: str, language: str) -> None:
    assert negotiated(accepted) == language
    assert language in LANGUAGES
