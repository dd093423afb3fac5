"""An index may be named by an address: how one is typed, what the configuration says of it; secrets stay secret."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from engine.configuration import ConfigurationError, load
from indexer.elastic.environment import settings_from_environment
from indexer.elastic.settings import SECRETS, ElasticSettings
from indexer.errors import InvalidSettings
from indexer.opening import create_index, open_index, place_of
from quire.cli import FAILED, USAGE
from quire.index_argument import place

Quire = Callable[..., Result]
NOBODY = "elasticsearch://127.0.0.1:1/books"  # port 1: nothing listens there
SECRET = "correct-horse-battery"
OFFLINE = {"QUIRE_ELASTICSEARCH_RETRIES": "0", "QUIRE_ELASTICSEARCH_TIMEOUT_SECONDS": "2"}


@pytest.mark.parametrize(
    "text", ["my-index", "./a/b", "/srv/x", "elasticsearch", "a:b", "C:/x", "elasticsearch/x"]
)
def test_a_folder_is_a_path(text: str) -> None:
    assert place(text) == Path(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("elasticsearch://localhost:9200/books", "elasticsearch://localhost:9200/books"),
        ("elasticsearch://localhost/books", "elasticsearch://localhost:9200/books"),
        ("ELASTICSEARCH+HTTPS://H1,h2:9201/books", "elasticsearch+https://h1:9200,h2:9201/books"),
        ("elasticsearch:///books", "elasticsearch:///books"),
    ],
)
def test_an_address_is_a_string_always_written_the_same(text: str, expected: str) -> None:
    assert place(text) == place(expected) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("http://localhost:9200/books", "elasticsearch://localhost:9200/books"),
        (f"https://me:{SECRET}@localhost/books", "elasticsearch+https://"),
        (f"elasticsearch://me:{SECRET}@localhost/books", "QUIRE_ELASTICSEARCH_PASSWORD"),
        ("elasticsearch://localhost/Books", "a-z"),
        ("elasticsearch://localhost", "name of the index"),
        (Path("elasticsearch://localhost/books"), "lost a slash"),
    ],
)
def test_what_is_neither_says_what_was_meant(text: str | Path, said: str) -> None:
    with pytest.raises(InvalidSettings) as error:
        place_of(text)
    assert said in str(error.value)
    assert SECRET not in str(error.value)


def test_a_folder_is_opened_without_a_word_of_elasticsearch(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QUIRE_ELASTICSEARCH_RETRIES", "not a number")
    with open_index(index) as opened:
        assert opened.reader().document_count == 4


def test_both_ways_of_opening_refuse_a_wrong_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from indexer.encoder import HashingEncoder

    monkeypatch.setenv("QUIRE_ELASTICSEARCH_RETRIES", "many")
    with pytest.raises(InvalidSettings, match="QUIRE_ELASTICSEARCH_RETRIES must be a whole number"):
        open_index(NOBODY)
    with pytest.raises(InvalidSettings, match="QUIRE_ELASTICSEARCH_RETRIES must be a whole number"):
        create_index(NOBODY, encoder=HashingEncoder(32))


def test_the_environment_says_everything(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    environ = {
        "QUIRE_ELASTICSEARCH_API_KEY_FILE": str(tmp_path / "key"),
        "QUIRE_ELASTICSEARCH_SNIFF": "yes",
        "QUIRE_ELASTICSEARCH_TIMEOUT_SECONDS": "2.5",
        "QUIRE_ELASTICSEARCH_QUANTISATION": "bbq",
        "ELASTICSEARCH_RETRIES": "x",
    }
    expected = ElasticSettings(api_key=SECRET, sniff=True, timeout_seconds=2.5, quantisation="bbq")
    assert settings_from_environment(environ) == expected
    assert load(environ=environ, folder=tmp_path).elasticsearch == expected


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"QUIRE_ELASTICSEARCH_PASSWROD": SECRET}, "QUIRE_ELASTICSEARCH_PASSWROD"),
        ({"QUIRE_ELASTICSEARCH_PASSWORD": SECRET}, "password needs username"),
        ({"QUIRE_ELASTICSEARCH_PASSWORD_FILE": "/no/such/file"}, "/no/such/file, which cannot be read"),
        ({"QUIRE_ELASTICSEARCH_USERNAME_FILE": "x"}, "QUIRE_ELASTICSEARCH_USERNAME_FILE"),
        (
            {"QUIRE_ELASTICSEARCH_API_KEY": SECRET, "QUIRE_ELASTICSEARCH_API_KEY_FILE": "x"},
            "are both set: keep one",
        ),
        (
            {"QUIRE_ELASTICSEARCH_API_KEY": SECRET, "QUIRE_ELASTICSEARCH_USERNAME": "me"},
            "not both",
        ),
    ],
)
def test_what_is_wrong_in_the_environment_is_named_and_secrets_are_not(
    environ: dict[str, str], said: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidSettings) as plain:
        settings_from_environment(environ)
    with pytest.raises(ConfigurationError) as configured:
        load(environ=environ | {"HOME": str(tmp_path)}, folder=tmp_path)
    for error in (plain.value, configured.value):
        assert said in str(error)
        assert SECRET not in "".join(traceback.format_exception(error))


def test_an_empty_secret_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    with pytest.raises(InvalidSettings, match="which is empty"):
        settings_from_environment({"QUIRE_ELASTICSEARCH_API_KEY_FILE": str(tmp_path / "empty")})


def test_secrets_in_a_file_of_the_wrong_type_are_not_shown(tmp_path: Path) -> None:
    (tmp_path / "quire.toml").write_text(f'[elasticsearch]\npassword = ["{SECRET}"]\n')
    with pytest.raises(ConfigurationError) as error:
        load(environ={}, folder=tmp_path)
    assert "quire.toml:2: elasticsearch.password must be a string" in str(error.value)
    assert SECRET not in "".join(traceback.format_exception(error.value))


@pytest.mark.parametrize("secret", sorted(SECRETS))
def test_config_show_never_shows_a_secret(
    quire: Quire, secret: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = 'username = "me"\n' if secret == "password" else ""
    (tmp_path / "quire.toml").write_text(f'[elasticsearch]\n{user}{secret} = "{SECRET}"\n')
    shown = quire("config", "show").output
    assert SECRET not in shown
    [line] = [line for line in shown.splitlines() if line.startswith(f"# {secret} is set")]
    assert line.endswith(f"# quire.toml:{3 if user else 2}")
    told = json.loads(quire("config", "show", "--json").output)["values"]
    [value] = [one for one in told if one["key"] == secret]
    assert (value["value"], value["hidden"], value["origin"]) == (None, True, "file")
    configuration = load(environ={}, folder=tmp_path)
    assert SECRET not in repr([*configuration])
    assert SECRET not in repr(configuration.elasticsearch)
    assert getattr(configuration.elasticsearch, secret) == SECRET


EVERY_COMMAND = [
    ["index", "docs", NOBODY],
    ["search", NOBODY, "tide"],
    ["search", NOBODY, "tide", "--filter", "a=b"],
    ["why-not", NOBODY, "x", "tide"],
    ["stats", NOBODY],
    ["verify", NOBODY],
    ["compact", NOBODY],
    ["delete", NOBODY, "x"],
    ["export", NOBODY],
    ["import", "empty.jsonl", NOBODY],
    ["events", "import", NOBODY, "empty.jsonl"],
    ["events", "export", NOBODY],
    ["profile", "show", NOBODY, "ann"],
    ["profile", "mute", NOBODY, "ann", "x"],
    ["profile", "unmute", NOBODY, "ann", "x"],
    ["profile", "declare", NOBODY, "ann", "tides"],
    ["profile", "undeclare", NOBODY, "ann", "tides"],
    ["profile", "forget", NOBODY, "ann", "x"],
    ["profile", "export", NOBODY, "ann"],
    ["profile", "erase", NOBODY, "ann", "--yes"],
    ["summarise", NOBODY, "x"],
    ["recommend", NOBODY, "ann"],
    ["learn", NOBODY],
    ["learn-weights", NOBODY, "--log", "empty.jsonl"],
    ["rebuild", NOBODY],
    ["generations", NOBODY],
    ["eval", "curves", NOBODY, "topics.tsv", "-p", "depth", "--values", "5"],
]


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=lambda words: " ".join(words[:2]))
def test_every_command_says_that_nobody_answers(
    quire: Quire, words: list[str], folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert folder.name == "docs"
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "topics.tsv").write_text("1\ttide\n")
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("QUIRE_ELASTICSEARCH_API_KEY", SECRET)
    result = quire(*words)
    assert result.exit_code == FAILED, result.output
    [line] = result.stderr.splitlines()
    assert "127.0.0.1:1 does not answer" in line
    assert SECRET not in result.output


def test_an_address_with_a_password_is_refused_without_repeating_it(quire: Quire) -> None:
    result = quire("stats", f"elasticsearch://me:{SECRET}@localhost/books")
    assert result.exit_code == USAGE
    assert SECRET not in result.output
    assert "QUIRE_ELASTICSEARCH_PASSWORD" in result.stderr


def test_generations_are_of_an_address(quire: Quire, index: Path) -> None:
    result = quire("generations", index)
    assert result.exit_code == USAGE
    assert "expected an address" in result.stderr


@pytest.mark.parametrize("shard", ["0/4", "5/4", "1", "a/b"])
def test_shards_that_there_are_not(quire: Quire, folder: Path, shard: str) -> None:
    result = quire("index", folder, "out", "--shard", shard)
    assert result.exit_code == USAGE
    assert "a shard is written as its number and how many there are" in " ".join(result.stderr.split())


def test_the_shards_of_a_folder_together_are_all_of_it(quire: Quire, folder: Path, tmp_path: Path) -> None:
    counts = []
    for number in (1, 2, 3):
        report = json.loads(
            quire("index", folder, tmp_path / "sharded", "--shard", f"{number}/3", "--json", "-q").output
        )
        counts.append(report["added"])
    assert sum(counts) == report["documents"] == 4
    whole = json.loads(quire("index", folder, tmp_path / "sharded", "--json", "-q").output)
    assert (whole["added"], whole["unchanged"]) == (0, 4)
