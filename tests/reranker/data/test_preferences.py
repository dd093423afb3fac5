"""Preferences: no pair that nobody stated, and rows in any form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reranker.data.preferences import Preference, from_preferences, read_preferences
from reranker.errors import TrainingDataError
from reranker.pairs import PassageText

names = st.sampled_from("abcd")
rows = st.lists(st.builds(Preference, st.sampled_from(["q1", "q2"]), names, names), max_size=15)


@settings(max_examples=100)
@given(rows)
def test_exactly_the_stated_pairs(preferences: list[Preference]) -> None:
    sound = [row for row in preferences if row.better != row.worse]
    made = {
        (query.query, better.doc_id, worse.doc_id)
        for query in from_preferences(sound)
        for better in query.judged
        for worse in query.judged
        if better.grade > worse.grade
    }
    assert made == {(row.query, row.better, row.worse) for row in sound}


def test_not_better_than_itself() -> None:
    with pytest.raises(TrainingDataError, match="preferred to itself"):
        list(from_preferences([Preference("q", "a", "a")]))


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "triples.jsonl"
    record = {"query": "q", "better": {"text": "good", "title": "T"}, "worse": "d2"}
    path.write_text(json.dumps(record), encoding="utf-8")
    assert list(read_preferences(path)) == [Preference("q", PassageText("good", "T"), "d2")]
    (query,) = from_preferences(read_preferences(path))
    assert query.judged[0].passage == PassageText("good", "T")
    assert query.judged[1].passage is None
    (tmp_path / "triples.tsv").write_text("query\tbetter\tworse\nq\td1\td2\n", encoding="utf-8")
    assert list(read_preferences(tmp_path / "triples.tsv")) == [Preference("q", "d1", "d2")]
    for wrong in (
        '{"query": "q", "better": "a"}',
        '{"query": "q", "better": "a", "worse": {"title": "x"}}',
        "{}",
    ):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(TrainingDataError, match=r"triples\.jsonl:1"):
            list(read_preferences(path))
