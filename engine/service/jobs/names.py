"""Names that uploads come with: never used as paths, and cleaned before they name a document."""

from __future__ import annotations

import re
import unicodedata

_DRIVE = re.compile(r"[A-Za-z]:")
_UNSEEN = frozenset(
    "\u200b\u200e\u200f\u2028\u2029\u2060\ufeff\ufffd"
    + "".join(map(chr, (*range(0x202A, 0x202F), *range(0x2066, 0x206A))))
)
"""Characters that turn the direction of writing, break lines, or are nothing to see."""


def clean_name(name: str) -> str:
    """Return the name of a document for a file that came under `name`; empty where nothing is left of it.

    Folders stay (`notes/a.txt`), with `/` between the parts. What leads elsewhere goes: `..`, `.`, a leading slash,
    a drive's letter; and so do control characters, lone surrogates, and characters that cannot be seen or turn the
    direction of writing. What is left is in Unicode's form NFC. To clean a clean name changes nothing.
    """
    seen = "".join(
        letter
        for letter in name.replace("\\", "/")
        if letter not in _UNSEEN and unicodedata.category(letter) not in ("Cc", "Cs")
    )
    parts = [part.strip() for part in unicodedata.normalize("NFC", seen).split("/")]
    parts = [part for part in parts if part not in ("", ".", "..")]
    while parts and _DRIVE.fullmatch(parts[0]):
        del parts[0]
    return "/".join(parts)
