"""Which paths jobs may read: those under the roots, however they are written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.service.problems import Problem

LONGEST_PATH = 4096


@dataclass(frozen=True, slots=True)
class Accepted:
    """A path that may be read.

    Args:
        path: Where it is, without links.
        name: Its path relative to its root; empty for the root itself.
    """

    path: str
    name: str


class Roots:
    """The folders that jobs may read.

    Args:
        folders: The roots as they were configured.
        closed: Files and folders that nobody may read though they be under a root: the index, and the service's
            own folder, where its secrets are.
    """

    def __init__(self, folders: Sequence[str], closed: Sequence[Path] = ()) -> None:
        self._given = tuple(os.path.abspath(folder) for folder in folders)
        self._real = tuple(os.path.realpath(folder) for folder in folders)
        self._closed = tuple(os.path.realpath(path) for path in closed)

    def accept(self, path: str) -> Accepted:
        """Return where a path leads that somebody asked for: relative to a root, or absolute and under one.

        Of what is outside the roots nothing is looked at before it is refused, so that no answer tells what there is.

        Raises:
            Problem: 422: it cannot be a path, holds `..` or a hidden name, or nothing is there under the roots.
                403: it is outside the roots, or leads there; or there are no roots.
        """
        if not self._given:
            raise Problem(
                403,
                "no-roots",
                "this service reads no paths of its own: it has no roots; upload the files instead",
            )
        parts = self._parts(path)
        if not path.startswith("/"):
            below = [(given, parts) for given in self._given]
        else:
            whole = "/" + "/".join(parts)
            below = [
                (root, [part for part in whole[len(root) :].split("/") if part])
                for root in dict.fromkeys((*self._given, *self._real))
                if _within(whole, root)
            ][:1]
            if not below:
                raise _outside(path)
        if any(part.startswith(".") for _, inner in below for part in inner):
            raise _invalid(path, "files and folders whose name begins with a dot are not read")
        outside = False
        for root, inner in below:
            real = self._followed(root, inner)
            if real is None:
                outside = True
            elif os.path.exists(real):
                return Accepted(real, self.name_of(real))
        if outside:
            raise _outside(path)
        raise Problem(422, "no-such-path", f"there is no {_shown(path)} under the roots of this service")

    def allows(self, real: str) -> bool:
        """Return whether a path that has no links in it may be read."""
        return any(_within(real, root) for root in self._real) and not self.closes(real)

    def closes(self, real: str) -> bool:
        """Return whether a path that has no links in it is the index's, or the service's own."""
        return any(_within(real, closed) for closed in self._closed)

    def name_of(self, real: str) -> str:
        """Return a path under a root relative to the innermost root; empty for a root itself."""
        root = max((root for root in self._real if _within(real, root)), key=len, default="")
        return real[len(root) :].strip("/")

    def to_json(self) -> dict[str, list[str]]:
        """Return them as plain values."""
        return {"folders": list(self._real), "closed": list(self._closed)}

    @classmethod
    def from_json(cls, value: dict[str, list[str]]) -> Roots:
        """Return the roots that `to_json` described."""
        return cls(value["folders"], [Path(each) for each in value["closed"]])

    def _followed(self, root: str, parts: Sequence[str]) -> str | None:
        """Return where a path leads, or None as soon as one of its parts leads outside.

        What would be under a part that is not there is not looked for: two thousand such parts took 19 seconds.
        """
        real = os.path.realpath(root)
        for part in parts:
            real = os.path.realpath(os.path.join(real, part))
            if not self.allows(real):
                return None
            if not os.path.exists(real):
                break
        return real if self.allows(real) else None

    def _parts(self, path: str) -> list[str]:
        reason = ""
        if not path or len(path) > LONGEST_PATH:
            reason = f"a path has 1 to {LONGEST_PATH:,} characters, found {len(path):,}"
        elif any(ord(letter) < 32 or ord(letter) == 127 or "\ud800" <= letter <= "\udfff" for letter in path):
            reason = "a path holds no control characters"
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            reason = "a path holds no `..`: say where the file is"
        if reason:
            raise _invalid(path, reason)
        return parts


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _shown(path: str) -> str:
    return repr(path if len(path) <= 200 else path[:199] + "…")


def _invalid(path: str, reason: str) -> Problem:
    return Problem(422, "invalid-path", f"{_shown(path)} cannot be read: {reason}")


def _outside(path: str) -> Problem:
    return Problem(
        403,
        "outside-roots",
        f"{_shown(path)} is not under the roots of this service, or may not be read by it",
    )
