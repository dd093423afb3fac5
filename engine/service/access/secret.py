"""The secret that readers' tokens are signed with: from the environment, from a file, or made once and kept."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from engine.service.access.errors import AccessFileError
from engine.service.access.private_files import Watched, locked, write_private

FILE, LOCK = "secret", "secret.lock"
VARIABLE, FILE_VARIABLE = "QUIRE_TOKEN_SECRET", "QUIRE_TOKEN_SECRET_FILE"
SHORTEST = 32  # bytes: as long as what HMAC-SHA-256 puts out, which RFC 7518 (3.2) asks for
MOST = 8  # that may hold at once
_LOG = logging.getLogger(__name__)


def signing_secrets(folder: Path, environ: Mapping[str, str]) -> Callable[[], tuple[bytes, ...]]:
    """Return a function that says which secrets hold now: the first signs, each verifies.

    They stand one a line, in QUIRE_TOKEN_SECRET, or in the file that QUIRE_TOKEN_SECRET_FILE names, or else in
    `secret` in the service's folder, which is made when it is absent. A file is read again when it changes: to change
    the secret, put the new one in the first line, and take the old one away once the tokens that it signed have
    expired.

    Raises:
        AccessFileError: both variables are set; the file that one names is not there; there is no secret, too many,
            or one of less than 32 bytes. The function raises the same when the file becomes such a one.
    """
    named = [variable for variable in (VARIABLE, FILE_VARIABLE) if variable in environ]
    if len(named) == 2:
        raise AccessFileError(f"{VARIABLE} and {FILE_VARIABLE} are both set: keep one of them")
    if named == [VARIABLE]:
        given = _parsed(environ[VARIABLE].encode("utf-8", "surrogateescape"), VARIABLE)
        return lambda: given
    path = Path(environ[FILE_VARIABLE]) if named else folder / FILE
    if not named:
        _make(folder)

    def parse(content: bytes | None) -> tuple[bytes, ...]:
        if content is None:
            raise AccessFileError(
                f"{path} is not there: it held the secret that readers' tokens are signed with; put it back, or start "
                "the service again to have a new one, which ends all tokens"
                if not named
                else f"{path}, named by {FILE_VARIABLE}, is not there: it has to hold a secret of at least 32 bytes"
            )
        if not named and path.stat().st_mode & 0o077:
            _LOG.warning("%s can be read by others than its owner: chmod 600 it", path)
        return _parsed(content, str(path))

    watched = Watched(path, parse)
    watched.value()
    return watched.value


def _make(folder: Path) -> None:
    """Make the secret in the service's folder unless it is there; of processes that start at once one makes it."""
    if (folder / FILE).exists():
        return
    with locked(folder, LOCK):
        if not (folder / FILE).exists():
            write_private(folder / FILE, secrets.token_urlsafe(48).encode() + b"\n")


def _parsed(content: bytes, where: str) -> tuple[bytes, ...]:
    lines = tuple(line.strip() for line in content.splitlines() if line.strip())
    if not lines or len(lines) > MOST:
        raise AccessFileError(f"{where} holds {len(lines)} secrets; expected 1 to {MOST}, one a line")
    short = [number for number, line in enumerate(lines, 1) if len(line) < SHORTEST]
    if short:
        raise AccessFileError(
            f"{where}: the secret in line {short[0]} has fewer than {SHORTEST} bytes, few enough to be guessed; make "
            "one with: openssl rand -base64 48"
        )
    return lines
