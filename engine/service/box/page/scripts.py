"""Which language a text is in, as far as its letters tell: for `lang`, so that a browser takes the right glyphs."""

from __future__ import annotations

import re
from collections.abc import Mapping

from indexer.document import MetadataValue

FIELDS = ("language", "lang")
"""Metadata fields that say it outright."""

_TAG = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_KANA, _HANGUL, _HAN = (
    re.compile("[\u3040-\u30ff]"),
    re.compile("[\uac00-\ud7af]"),
    re.compile("[\u4e00-\u9fff]"),
)


def language_of(text: str, metadata: Mapping[str, MetadataValue]) -> str:
    """Return the BCP 47 tag of a text; the empty string where neither its document nor its letters say.

    Args:
        text: Some of the text.
        metadata: What is known of its document.
    """
    for field in FIELDS:
        value = metadata.get(field)
        if isinstance(value, str) and _TAG.fullmatch(value.strip()):
            return value.strip().replace("_", "-")
    sample = text[:400]
    letters = sum(letter.isalpha() for letter in sample) or 1
    if len(_KANA.findall(sample)) > letters / 10:
        return "ja"
    if len(_HANGUL.findall(sample)) > letters / 3:
        return "ko"
    return "zh" if len(_HAN.findall(sample)) > letters / 3 else ""
