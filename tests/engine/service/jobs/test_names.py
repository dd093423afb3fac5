from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.service.jobs.names import clean_name

pieces = st.sampled_from(
    ["..", ".", "/", "\\", "C:", "\x00", "a", "é", "e\u0301", " ", "\u202e", "\ud800", "etc", "\n"]
)


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("notes.txt", "notes.txt"),
        ("folder/notes.txt", "folder/notes.txt"),
        ("../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("C:\\Users\\ann\\thesis.pdf", "Users/ann/thesis.pdf"),
        ("C:/C:/x", "x"),
        ("\\\\server\\share\\a.md", "server/share/a.md"),
        ("a\x00b.txt", "ab.txt"),
        ("a\r\nb\t.txt", "ab.txt"),
        ("exe\u202etxt.pdf", "exetxt.pdf"),
        (" .. / x ", "x"),
        ("./././", ""),
        ("..", ""),
        ("e\u0301te\u0301.txt", "été.txt"),
        ("论文/第一章.txt", "论文/第一章.txt"),
        ("...", "..."),
        (".hidden", ".hidden"),
    ],
)
def test_names_are_cleaned(name: str, cleaned: str) -> None:
    assert clean_name(name) == cleaned


@given(st.one_of(st.text(), st.lists(pieces).map("".join), st.text(st.characters(codec=None))))
def test_a_clean_name_leads_nowhere_and_is_clean(name: str) -> None:
    cleaned = clean_name(name)
    assert clean_name(cleaned) == cleaned
    assert not cleaned.startswith("/")
    assert not {"..", ".", ""} & set(cleaned.split("/")) or not cleaned
    assert "\\" not in cleaned
    assert all(unicodedata.category(letter) not in ("Cc", "Cs") for letter in cleaned)
    assert len(unicodedata.normalize("NFC", cleaned)) == len(cleaned)
