"""Bytes to text: which encoding a file is in, and whether it is text at all.

In this order: a byte order mark; the encoding that the file declares (HTML); UTF-8; UTF-16 without a mark, told
by its zero bytes; then detection on a sample, among the encodings that are met in practice. A file that is UTF-8
but for a few damaged bytes is read as UTF-8, the damage as U+FFFD.
"""

from __future__ import annotations

import codecs
import re

from indexer.readers.content import Unreadable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = [
    "gb18030",
    "big5",
    "big5hkscs",
    "shift_jis",
    "euc_jp",
    "euc_kr",
    "cp1250",
    "cp1251",
    "cp1252",
    "cp1253",
    "cp1254",
    "koi8_r",
]
_SAMPLE = 1 << 16
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_DAMAGE_SHARE = 0.1

# Browsers read these names as their supersets, and pages rely on it.
_SUPERSETS = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso8859-1": "cp1252",
    "ascii": "cp1252",
    "big5": "big5hkscs",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "utf-16": "utf-8",
}


def decode(data: bytes, declared: str | None = None) -> str:
    """Return the text that `data` holds, without a byte order mark.

    Args:
        data: A whole file.
        declared: The encoding that the file says it has, believed only where it decodes without an error.

    Raises:
        Unreadable: `data` is binary, or in no encoding that can be told.
    """
    return data.decode(encoding_of(data, declared), errors="replace")


def encoding_of(data: bytes, declared: str | None = None) -> str:
    """Return the name of the codec for `data`; see `decode`."""
    for mark, name in _MARKS:
        if data.startswith(mark):
            return name
    if declared and (codec := _declared(data, declared)):
        return codec
    if b"\x00" not in data[:_SAMPLE] and _decodes(data, "utf-8"):
        _refuse_binary(data)
        return "utf-8"
    if wide := _wide(data[:_SAMPLE]):
        return wide
    _refuse_binary(data)
    if _decodes(data, "utf-8") or _is_damaged_utf8(data):
        return "utf-8"
    return _detected(data)


def stream_encoding(sample: bytes) -> str:
    """Return the codec for a stream that begins with `sample`, which may end within a character.

    Raises:
        Unreadable: the sample is binary, or in no encoding that can be told.
    """
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        end = sample.rfind(b"\n") + 1
        return encoding_of(sample[:end] if end else sample)
    return (
        "utf-8-sig"
        if sample.startswith(codecs.BOM_UTF8)
        else encoding_of(sample.decode("utf-8", "ignore").encode())
    )


def _declared(data: bytes, name: str) -> str | None:
    try:
        codec = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return None
    codec = _SUPERSETS.get(codec, codec)
    try:
        data[:_SAMPLE].decode(codec, errors="replace")
    except (LookupError, UnicodeError):
        return None
    return codec if _decodes(data, codec) and codec not in ("idna", "punycode", "utf-7") else None


def _decodes(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except (UnicodeError, LookupError):
        return False
    return True


def _wide(sample: bytes) -> str | None:
    """Return the UTF-16 whose zero bytes the sample shows: at every second place, and hardly elsewhere."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    half = max(len(sample) // 2, 1)
    if max(even, odd) < 0.3 * half or min(even, odd) > 0.05 * half:
        return None
    codec = "utf-16-le" if odd > even else "utf-16-be"
    text = sample[: len(sample) // 2 * 2].decode(codec, errors="replace")
    strange = sum(char < "\t" or "\r" < char < "\x1b" or char == "\ufffd" for char in text)
    return codec if strange <= 0.01 * len(text) else None


def _refuse_binary(data: bytes) -> None:
    for sample in (data[:_SAMPLE], data[-_SAMPLE:]):
        strange = len(_CONTROL.findall(sample)) + sample.count(0)
        if strange > 0.05 * len(sample):
            raise Unreadable("is binary, expected text: convert it to a format that Quire reads")


def _is_damaged_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    beyond_ascii = len(text) - bad - len(text.encode("ascii", errors="ignore"))
    return bad <= _DAMAGE_SHARE * beyond_ascii


def _detected(data: bytes) -> str:
    from charset_normalizer import from_bytes

    sample = _sample(data)
    best = from_bytes(sample, cp_isolation=_CANDIDATES).best()
    codec = best.encoding if best is not None else "cp1252"
    codec = _SUPERSETS.get(codecs.lookup(codec).name, codec)
    if codec == "cp1250" and not _is_central_european(sample):
        codec = "cp1252"
    text = data.decode(codec, errors="replace")
    if text.count("\ufffd") > 0.02 * len(text):
        raise Unreadable("is text in no encoding that could be told: save it as UTF-8")
    return codec


def _is_central_european(sample: bytes) -> bool:
    """Tell cp1250 from cp1252: read as cp1252, Polish has symbols inside words, Czech both ì and ø."""
    text = sample.decode("cp1252", errors="replace")
    if re.search(r"[a-z][¹³¿¼¾£¥\ufffd]|[¹³¿¼¾\ufffd][a-z]", text):
        return True
    return "ì" in text and "ø" in text


def _sample(data: bytes) -> bytes:
    """Return up to 64 KiB of `data` around its first byte beyond ASCII, where encodings begin to differ."""
    first = re.search(rb"[\x80-\xff]", data)
    at = max(first.start() - 512, 0) if first else 0
    start = data.rfind(b"\n", 0, at) + 1 if at else 0
    return data[start : start + _SAMPLE]
