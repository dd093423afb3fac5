"""`quire eval tune` on a small folder of files, without a model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from engine.configuration import load

Quire = Callable[..., Result]
TOPICS = 30


@pytest.fixture
def pair(tmp_path: Path, quire: Quire) -> tuple[Path, Path]:
    """An index and a collection whose words lead astray and whose meaning (the hashing encoder's) does not.

    Each query is three words; the relevant document says each of them once, in few words; a longer one says one of
    them often, which BM25 likes less than it would without saturation.
    """
    folder = tmp_path / "collection"
    folder.mkdir()
    documents, queries, qrels = [], [], ["query-id\tcorpus-id\tscore"]
    for n in range(TOPICS):
        words = [f"w{n}a", f"w{n}b", "common"]
        documents.append({"_id": f"good{n}", "title": "", "text": f"{words[0]} {words[1]} common."})
        documents.append(
            {"_id": f"bad{n}", "title": f"{words[0]} {words[1]}", "text": "other things entirely here."}
        )
        queries.append({"_id": f"q{n}", "text": " ".join(words)})
        qrels.append(f"q{n}\tgood{n}\t1")
    for name, records in (("corpus", documents), ("queries", queries)):
        text = "".join(json.dumps(record) + "\n" for record in records)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8")
    (folder / "qrels.tsv").write_text("\n".join(qrels) + "\n", encoding="utf-8")
    index = tmp_path / "index"
    assert quire("index", folder / "corpus.jsonl", index, "-q").exit_code == 0
    return index, folder


def heavy_title(tmp_path: Path) -> Path:
    path = tmp_path / "mine.toml"
    path.write_text("# by hand\n[search]\nalpha = 0.0\ntitle_weight = 4.0 # too much\n", encoding="utf-8")
    return path


def test_a_weight_that_misleads_is_found_and_written(
    tmp_path: Path, quire: Quire, pair: tuple[Path, Path]
) -> None:
    config = heavy_title(tmp_path)
    result = quire("--config", config, "eval", "tune", *pair, "--params", "title_weight", "--out", config)
    assert result.exit_code == 0, result.output
    assert "changed from title_weight 4 to title_weight" in result.output
    assert f"written to {config}" in result.output
    text = config.read_text(encoding="utf-8")
    assert text.startswith("# by hand\n[search]\nalpha = 0.0\ntitle_weight = ")
    assert text.endswith(" # too much\n")
    assert load(config, environ={}).search.title_weight < 4
    again = quire("--config", config, "eval", "tune", *pair, "--params", "title_weight", "--out", config)
    assert "Nothing is changed." in again.output
    assert config.read_text(encoding="utf-8") == text


def test_without_out_nothing_is_written(tmp_path: Path, quire: Quire, pair: tuple[Path, Path]) -> None:
    config = heavy_title(tmp_path)
    before = config.read_bytes()
    result = quire("--config", config, "eval", "tune", *pair, "--params", "title_weight", "--show-trials")
    assert result.exit_code == 0, result.output
    assert "Keep the change with --out" in result.output
    assert "flattered" in result.output
    assert config.read_bytes() == before


def test_json_has_all_of_it(tmp_path: Path, quire: Quire, pair: tuple[Path, Path]) -> None:
    config = heavy_title(tmp_path)
    result = quire(
        "--config", config, "eval", "tune", *pair, "--params", "title_weight,alpha", "--json", "--no-cache"
    )
    found = json.loads(result.stdout)
    assert [stage["stage"] for stage in found["stages"]] == ["meaning", "title and headings"]
    assert found["collections"] == {"collection": TOPICS}
    assert not (tmp_path / "home").exists()


def test_trials_are_kept_where_asked(tmp_path: Path, quire: Quire, pair: tuple[Path, Path]) -> None:
    cache = tmp_path / "kept"
    assert quire("eval", "tune", *pair, "--params", "alpha", "--cache", cache).exit_code == 0
    assert list(cache.rglob("*.json"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--params", "alhpa"), "did you mean 'alpha'"),
        (("--folds", "one"), "--folds is a whole number"),
        (("--folds", "1"), "at least 2 folds"),
        (("--folds", "collections"), "at least two collections"),
        (("--measure", "nDGC@10"), "nDGC@10"),
        (("--level", "2"), "level"),
        (("--out", "nowhere/quire.toml"), "nowhere"),
    ],
)
def test_what_cannot_be_understood_ends_with_2(
    quire: Quire, pair: tuple[Path, Path], options: tuple[str, str], message: str
) -> None:
    result = quire("eval", "tune", *pair, *options)
    assert result.exit_code == 2, result.output
    assert message in result.output


def test_a_file_that_cannot_take_the_result_is_refused_before_the_work(
    tmp_path: Path, quire: Quire, pair: tuple[Path, Path]
) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("[search\n", encoding="utf-8")
    result = quire("eval", "tune", *pair, "--out", broken, "--cache", tmp_path / "kept")
    assert result.exit_code == 2
    assert "broken.toml" in result.output
    assert not (tmp_path / "kept").exists()


def test_a_pair_without_its_second_half(quire: Quire, pair: tuple[Path, Path]) -> None:
    result = quire("eval", "tune", pair[0])
    assert result.exit_code == 2
    assert "no partner" in result.output
