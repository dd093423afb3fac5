"""The secret of tokens: from where, how long, and how it is changed."""

from __future__ import annotations

import logging
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.service.access.errors import AccessFileError
from engine.service.access.secret import signing_secrets

ONE, TWO = "1" * 32, "2" * 40


def test_it_is_made_once_and_kept(tmp_path: Path) -> None:
    [made] = signing_secrets(tmp_path, {})()
    assert len(made) == 64
    assert signing_secrets(tmp_path, {})() == (made,)
    assert signing_secrets(tmp_path / "other", {})() != (made,)


def test_services_that_start_at_once_agree_on_it(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: signing_secrets(tmp_path / "state", {})(), range(32)))
    assert len(made) == 1


def test_the_environment_comes_first(tmp_path: Path) -> None:
    assert signing_secrets(tmp_path, {"QUIRE_TOKEN_SECRET": ONE})() == (ONE.encode(),)
    (tmp_path / "mounted").write_text(f"{ONE}\n")
    named = {"QUIRE_TOKEN_SECRET_FILE": str(tmp_path / "mounted")}
    assert signing_secrets(tmp_path, named)() == (ONE.encode(),)
    assert not (tmp_path / "secret").exists(), "none is made where one is given"
    with pytest.raises(AccessFileError, match="are both set"):
        signing_secrets(tmp_path, {"QUIRE_TOKEN_SECRET": ONE, **named})


def test_several_lines_and_blank_ones(tmp_path: Path) -> None:
    secrets = signing_secrets(tmp_path, {"QUIRE_TOKEN_SECRET": f"\n  {TWO} \r\n\n{ONE}\n"})
    assert secrets() == (TWO.encode(), ONE.encode())


def test_a_changed_file_counts_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mounted"
    path.write_text(ONE)
    secrets = signing_secrets(tmp_path, {"QUIRE_TOKEN_SECRET_FILE": str(path)})
    path.write_text(f"{TWO}\n{ONE}\n")
    assert secrets() == (TWO.encode(), ONE.encode())
    path.unlink()
    with pytest.raises(AccessFileError, match="is not there"):
        secrets()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1" * 31, "line 1 has fewer than 32 bytes"),
        (f"{ONE}\nshort", "line 2 has fewer than 32 bytes"),
        (" \n ", "holds 0 secrets"),
        ("", "holds 0 secrets"),
        (f"{ONE}\n" * 9, "holds 9 secrets"),
    ],
)
def test_a_secret_that_can_be_guessed_is_refused(tmp_path: Path, content: str, said: str) -> None:
    (tmp_path / "secret").write_text(content)
    for environ in ({"QUIRE_TOKEN_SECRET": content}, {}):
        with pytest.raises(AccessFileError, match=said) as error:
            signing_secrets(tmp_path, environ)
        assert content.strip() == "" or content.split()[0] not in str(error.value)


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(AccessFileError, match="named by QUIRE_TOKEN_SECRET_FILE, is not there"):
        signing_secrets(tmp_path, {"QUIRE_TOKEN_SECRET_FILE": str(tmp_path / "missing")})


def test_our_own_file_that_others_may_read_is_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    signing_secrets(tmp_path, {})
    (tmp_path / "secret").chmod(stat.S_IRUSR | stat.S_IROTH)
    with caplog.at_level(logging.WARNING):
        [secret] = signing_secrets(tmp_path, {})()
    assert "chmod 600" in caplog.text
    assert secret.decode() not in caplog.text
