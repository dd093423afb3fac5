"""Configuration: where each value comes from, and what is said of one that cannot be used."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.configuration import (
    SECTIONS,
    Configuration,
    ConfigurationError,
    IndexingSettings,
    keys,
    load,
    settings_class,
)
from engine.errors import SearchError
from indexer.errors import InvalidSettings
from indexer.setting_values import from_text, from_toml, line_of


def loaded(
    tmp_path: Path, text: str = "", environ: dict[str, str] | None = None, **options: Any
) -> Configuration:
    folder = tmp_path / "here"
    folder.mkdir(exist_ok=True)
    if text:
        (folder / "quire.toml").write_text(text, encoding="utf-8")
    home = {"HOME": str(tmp_path / "home")}
    named = {name.replace("__", "."): (f"--{name}", value) for name, value in options.items()}
    return load(environ=home | (environ or {}), folder=folder, options=named)


def value_of(configuration: Configuration, section: str, key: str) -> tuple[object, str, str]:
    [value] = [v for v in configuration if (v.section, v.key) == (section, key)]
    return value.value, value.origin, value.where


def test_without_anything_every_value_is_the_default_of_its_class(tmp_path: Path) -> None:
    configuration = loaded(tmp_path)
    assert configuration.path is None
    assert [(v.section, v.key) for v in configuration] == [
        (section, field.name) for section in SECTIONS for field in fields(settings_class(section))
    ]
    assert {v.origin for v in configuration} == {"default"}
    for section in SECTIONS:
        made = settings_class(section)()
        assert configuration.section(section) == made
        assert {v.key: v.value for v in configuration if v.section == section} == {
            field.name: getattr(made, field.name) for field in fields(made)
        }


def test_option_beats_environment_beats_file_beats_default_and_each_says_so(tmp_path: Path) -> None:
    text = "# mine\n[search]\nalpha = 0.1\ndepth = 11\nrrf_k = 12\n"
    environ = {"QUIRE_SEARCH_ALPHA": "0.2", "QUIRE_SEARCH_DEPTH": "22"}
    configuration = loaded(tmp_path, text, environ, search__alpha=0.3, search__grouping=None)
    file = tmp_path / "here" / "quire.toml"
    assert value_of(configuration, "search", "alpha") == (0.3, "option", "--search__alpha")
    assert value_of(configuration, "search", "depth") == (22, "environment", "QUIRE_SEARCH_DEPTH")
    assert value_of(configuration, "search", "rrf_k") == (12, "file", f"{file}:5")
    assert value_of(configuration, "search", "grouping") == ("max", "default", "")
    assert (configuration.search.alpha, configuration.search.depth, configuration.search.rrf_k) == (
        0.3,
        22,
        12,
    )


def test_the_file_is_the_first_of_option_variable_folder_and_user_configuration(tmp_path: Path) -> None:
    places = [
        tmp_path / name
        for name in ("option.toml", "variable.toml", "here/quire.toml", "xdg/quire/quire.toml")
    ]
    for number, place in enumerate(places):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"[search]\ndepth = {number + 1}\n")
    environ = {
        "QUIRE_CONFIG": str(places[1]),
        "XDG_CONFIG_HOME": str(tmp_path / "xdg"),
        "HOME": str(tmp_path),
    }
    here = tmp_path / "here"
    assert load(places[0], environ=environ, folder=here).search.depth == 1
    assert load(environ=environ, folder=here).search.depth == 2
    del environ["QUIRE_CONFIG"]
    assert load(environ=environ, folder=here).search.depth == 3
    places[2].unlink()
    assert load(environ=environ, folder=here).search.depth == 4
    (tmp_path / ".config" / "quire").mkdir(parents=True)
    places[3].rename(tmp_path / ".config" / "quire" / "quire.toml")
    assert load(environ=environ, folder=here).path is None
    del environ["XDG_CONFIG_HOME"]
    assert load(environ=environ, folder=here).search.depth == 4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[search]\nalhpa = 0.3\n", "quire.toml:2: no such key in [search]: 'alhpa'; did you mean 'alpha'?"),
        ("\n[serach]\nalpha = 1\n", "quire.toml:2: no such section: 'serach'; did you mean 'search'?"),
        ("[zzz]\n", "quire.toml:1: no such section: 'zzz'; there are indexing, reading, search"),
        (
            "[search]\nencoder = 'x'\n",
            "quire.toml:2: no such key in [search]: 'encoder'; it belongs under [indexing]",
        ),
        ("alpha = 0.3\n", "quire.toml:1: 'alpha' stands outside any section; it belongs under [search]"),
        (
            "colour = 1\n",
            "quire.toml:1: 'colour' stands outside any section; sections are indexing, reading, search",
        ),
        ("[search]\nalpha = 'half'\n", "quire.toml:2: search.alpha must be a number; found 'half'"),
        ("[search]\ndepth = 1.5\n", "quire.toml:2: search.depth must be a whole number; found 1.5"),
        ("[search]\ndepth = true\n", "quire.toml:2: search.depth must be a whole number; found True"),
        ("[search]\nalpha = true\n", "quire.toml:2: search.alpha must be a number; found True"),
        (
            "[search]\nfacets = 'year'\n",
            "quire.toml:2: search.facets must be a list of strings; found 'year'",
        ),
        ("[search]\nfacets = [1]\n", "quire.toml:2: search.facets must be a list of strings; found [1]"),
        ("[search]\nfusion = 'mean'\n", "quire.toml:2: search.fusion must be one of convex, rrf"),
        ("[indexing]\noffline = 1\n", "quire.toml:2: indexing.offline must be true or false; found 1"),
        ("[indexing]\nlanguage = 3\n", "quire.toml:2: indexing.language must be a string; found 3"),
        ("[search]\ndepth = 5\nalpha = 7\n", "search.alpha ("),
        ("[search]\ndepth = 5\nalpha = 7\n", "quire.toml:3): alpha is a number from 0 to 1, found 7"),
        ("[indexing]\ntokens = 4\n", "quire.toml:2): tokens is a whole number from 16"),
        ("[indexing]\nencoder = ' '\n", "quire.toml:2): encoder is the name or path of a model"),
        ("[search\n", "quire.toml: not TOML: "),
    ],
)
def test_what_cannot_be_used_is_named_with_its_line_and_what_was_expected(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, text)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value, SearchError)
    assert caught.value.status == 422


def test_values_that_clash_are_all_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, "[indexing]\ntokens = 40\noverlap = 30\n")
    assert "overlap is from 0 to half of tokens (20)" in str(caught.value)
    assert "indexing.tokens (" in str(caught.value)
    assert "indexing.overlap (" in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "text", "says"),
    [
        (
            "QUIRE_SEARCH_ALHPA",
            "1",
            "QUIRE_SEARCH_ALHPA: no such key in [search]: 'alhpa'; did you mean 'alpha'?",
        ),
        (
            "QUIRE_SEARCH_DEPTH",
            "many",
            "QUIRE_SEARCH_DEPTH: search.depth must be a whole number; found 'many'",
        ),
        ("QUIRE_SEARCH_ALPHA", "", "QUIRE_SEARCH_ALPHA: search.alpha must be a number; found ''"),
        ("QUIRE_INDEXING_OFFLINE", "maybe", "QUIRE_INDEXING_OFFLINE: indexing.offline must be true or false"),
        ("QUIRE_SEARCH_ALPHA", "9", "search.alpha (QUIRE_SEARCH_ALPHA): alpha is a number from 0 to 1"),
        ("QUIRE_SEARCH_ALPHA", "nan", "search.alpha (QUIRE_SEARCH_ALPHA): alpha is a number from 0 to 1"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(tmp_path: Path, variable: str, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, environ={variable: text})
    assert says in str(caught.value)


def test_variables_of_other_programs_and_of_no_section_are_left_alone(tmp_path: Path) -> None:
    environ = {
        "QUIRE_CACHE": "/x",
        "QUIRE_DATASETS": "/y",
        "QUIRED_SEARCH_ALPHA": "z",
        "_QUIRE_COMPLETE": "bash",
    }
    assert {v.origin for v in loaded(tmp_path, environ=environ)} == {"default"}


def test_lists_and_truth_in_the_environment(tmp_path: Path) -> None:
    environ = {
        "QUIRE_SEARCH_FACETS": "year, lang,",
        "QUIRE_INDEXING_OFFLINE": "Yes",
        "QUIRE_READING_HIDDEN": "0",
    }
    configuration = loaded(tmp_path, environ=environ)
    assert configuration.search.facets == ("year", "lang")
    assert configuration.indexing.offline is True
    assert value_of(configuration, "reading", "hidden")[0] is False


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match=r"nowhere.toml: no such configuration file \(named by --config\)"
    ):
        load(tmp_path / "nowhere.toml", environ={}, folder=tmp_path)
    with pytest.raises(ConfigurationError, match=r"named by QUIRE_CONFIG"):
        load(environ={"QUIRE_CONFIG": str(tmp_path)}, folder=tmp_path)


def test_a_file_that_is_no_text_is_an_error_of_one_line(tmp_path: Path) -> None:
    file = tmp_path / "quire.toml"
    file.write_bytes(b"\xff\xfe\x00bad")
    with pytest.raises(ConfigurationError, match=r"quire\.toml: cannot be read"):
        load(file, environ={}, folder=tmp_path)


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "quire.toml"
    file.write_bytes(b"\xef\xbb\xbf[search]\nalpha = 0.25\n")
    assert load(file, environ={}, folder=tmp_path).search.alpha == 0.25


@pytest.mark.parametrize("section", SECTIONS)
def test_every_default_survives_being_written_as_toml_and_as_text(section: str) -> None:
    from quire.commands.config import toml_value

    for key, (wanted, default) in keys(section).items():
        read = tomllib.loads(f"{key} = {toml_value(default)}")[key]
        assert from_toml(wanted, read) == default
        text = ",".join(default) if isinstance(default, tuple) else str(default)
        assert from_text(wanted, text) == default


def test_a_setting_that_may_be_left_without_a_value() -> None:
    wanted = keys("search")["budget_ms"][0]
    assert from_toml(wanted, "none") is None
    assert from_text(wanted, "none") is None
    assert from_toml(wanted, 200) == from_text(wanted, "200") == 200
    for value in (0.5, True, "soon"):
        with pytest.raises(ValueError, match='a whole number, or "none"'):
            from_toml(wanted, value)
    with pytest.raises(ValueError, match="a whole number"):
        from_text(wanted, "soon")


@given(
    alpha=st.floats(0, 1),
    depth=st.integers(1, 10_000),
    facets=st.lists(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=5), max_size=3),
)
@settings(max_examples=50)
def test_what_config_show_prints_can_be_read_again(alpha: float, depth: int, facets: list[str]) -> None:
    from quire.commands.config import toml_value

    text = f"[search]\nalpha = {toml_value(alpha)}\ndepth = {depth}\nfacets = {toml_value(facets)}\n"
    table = tomllib.loads(text)["search"]
    hints = keys("search")
    assert from_toml(hints["alpha"][0], table["alpha"]) == alpha
    assert from_toml(hints["depth"][0], table["depth"]) == depth
    assert from_toml(hints["facets"][0], table["facets"]) == tuple(facets)


@pytest.mark.parametrize(
    ("text", "section", "key", "line"),
    [
        ("[a]\nx = 1\n[b]\nx = 2\n", "b", "x", 4),
        ("[a]\nx = 1\n[b]\nx = 2\n", "a", "x", 2),
        ("# [a]\n\n [ a ] # c\n\n  'x'=1\n", "a", "x", 5),
        ("a.x = 1\na.y = 2\n", "a", "y", 2),
        ("a = {x = 1, y = 2}\n", "a", "y", 1),
        ("[a]\ny = '''\nx = 3\n'''\n[b]\n", "b", "", 5),
        ('["a"]\n"x" = 1\n', "a", "x", 2),
        ("", "a", "x", 1),
    ],
)
def test_the_line_of_a_key(text: str, section: str, key: str, line: int) -> None:
    assert line_of(text, section, key) == line


@pytest.mark.parametrize("values", [{"tokens": 15}, {"overlap": 129}, {"overlap": -1}, {"encoder": ""}])
def test_indexing_settings_refuse_what_is_outside_their_range(values: dict[str, Any]) -> None:
    with pytest.raises(InvalidSettings):
        IndexingSettings(**values)
