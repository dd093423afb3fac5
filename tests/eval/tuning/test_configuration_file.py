from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.configuration import load
from engine.settings import SearchSettings
from eval.errors import InvalidEvaluation
from eval.tuning import write_settings
from eval.tuning.stages import search_stages

TUNABLE = {p.name: p.choices for stage in search_stages() for p in stage.parameters} | {
    "fusion": ("rrf", "dbsf"),
    "depth": (50, 800),
    "diversity": (0.0, 1e-7, 0.1 + 0.2),
}

FILE = """\
# What we use at home.
[indexing]
encoder = "all-MiniLM-L6-v2"   # small and quick
tokens = 128

[search]   # tuned by hand
# Meaning counts more.
alpha = 0.7      # asked Ada
passages_per_hit = 2

# the end
[reading]
hidden = true
"""


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    values=st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in TUNABLE.items()}).filter(
        bool
    ),
    before=st.sampled_from(
        ["", "[search]\n", "[search]", FILE, "[indexing]\ntokens = 64", FILE.replace("\n", "\r\n")]
    ),
)
def test_what_is_written_is_what_load_reads(tmp_path: Path, values: dict[str, Any], before: str) -> None:
    path = tmp_path / "quire.toml"
    path.write_text(before, encoding="utf-8", newline="")
    old = load(path, environ={})
    write_settings(path, "search", values)
    new = load(path, environ={})
    for field in fields(SearchSettings):
        wanted = values.get(field.name, getattr(old.search, field.name))
        assert getattr(new.search, field.name) == wanted
    assert new.indexing == old.indexing
    assert new.section("reading") == old.section("reading")


def test_every_other_line_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "quire.toml"
    path.write_text(FILE, encoding="utf-8")
    write_settings(path, "search", {"alpha": 0.4, "title_weight": 1.0})
    assert path.read_text(encoding="utf-8") == FILE.replace("alpha = 0.7 ", "alpha = 0.4 ").replace(
        "passages_per_hit = 2\n", "passages_per_hit = 2\ntitle_weight = 1.0\n"
    )


def test_a_new_file_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new.toml"
    write_settings(path, "search", {"alpha": 0.4, "fusion": "rrf"})
    assert path.read_text(encoding="utf-8") == '[search]\nalpha = 0.4\nfusion = "rrf"\n'
    assert list(tmp_path.iterdir()) == [path]


def test_a_mark_at_the_beginning_stays(tmp_path: Path) -> None:
    path = tmp_path / "quire.toml"
    path.write_bytes(b"\xef\xbb\xbf[search]\r\nalpha = 0.7\r\n")
    write_settings(path, "search", {"alpha": 0.4})
    assert path.read_bytes() == b"\xef\xbb\xbf[search]\r\nalpha = 0.4\r\n"


@pytest.mark.parametrize(
    "text",
    [
        "search = { alpha = 0.7 }\n",
        "search.alpha = 0.7\n",
        '[search]\nfacets = ["""\nalpha = 1\n"""]\n',
        "[search]\nalpha = \\\n",
        "alpha = 0.7\n",
        "[search]\nalhpa = 0.7\n",
        "[search]\ndepth = 0\n",
    ],
    ids=["inline", "dotted", "long string", "broken", "no section", "unknown key", "bad value"],
)
def test_a_file_that_cannot_be_edited_safely_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "quire.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidEvaluation, match=r"quire\.toml"):
        write_settings(path, "search", {"alpha": 0.4})
    assert path.read_text(encoding="utf-8") == text
    assert list(tmp_path.iterdir()) == [path]


def test_the_refusal_says_what_to_write_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "quire.toml"
    path.write_text("search = { depth = 7 }\n", encoding="utf-8")
    with pytest.raises(InvalidEvaluation, match=r"write there by hand: alpha = 0\.4"):
        write_settings(path, "search", {"alpha": 0.4})


def test_a_value_over_several_lines_beside_it_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "quire.toml"
    path.write_text('[search]\nfacets = [\n  "year",  # when\n  "lang",\n]\nalpha = 0.7\n', encoding="utf-8")
    write_settings(path, "search", {"alpha": 0.4, "depth": 100})
    assert tomllib.loads(path.read_text(encoding="utf-8"))["search"] == {
        "facets": ["year", "lang"],
        "alpha": 0.4,
        "depth": 100,
    }


def test_a_disk_that_takes_nothing_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "quire.toml"
    path.write_text(FILE, encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_settings(path, "search", {"alpha": 0.4})
    assert path.read_text(encoding="utf-8") == FILE
    assert list(tmp_path.iterdir()) == [path]
