"""What of a Markdown file its page shows: the rest becomes spaces, one for each character, so that offsets hold.

Not shown are front matter, comments, scripts, definitions of links, where links lead to, pictures that are links (the
badges at the head of a file) and tags of HTML. Of other pictures the words that stand for them are kept.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from typing import Any

_TARGET = (
    r"\([ \t]*(?:<[^<>\n]{0,2000}>|[^\s()<>]{0,2000}(?:\([^\s()]{0,200}\)[^\s()]{0,200}){0,8})"
    r"""(?:\s+(?:"[^"]{0,500}"|'[^']{0,500}'|\([^()]{0,500}\)))?\s*\)"""
)
_LEADS = rf"(?:{_TARGET}|\[[^\[\]]{{0,200}}\])"
_HTML = (
    "a|abbr|b|big|blockquote|br|center|cite|code|dd|del|details|div|dl|dt|em|figcaption|figure|font|h[1-6]|hr|i|img|ins"
    "|kbd|li|mark|ol|p|picture|pre|q|s|samp|small|source|span|strike|strong|sub|summary|sup|table|tbody|td|tfoot|th"
    "|thead|tr|tt|u|ul|var|video"
)
_TAG = rf"</?(?:{_HTML})(?:\s[^<>]{{0,2000}}|/)?>"
_INLINE = re.compile(
    r"(?P<kept>\\.|(?<!`)(?P<ticks>`++).{0,2000}?(?<!`)(?P=ticks)(?!`))"
    rf"|(?P<unshown><!--.{{0,1000}}?-->|{_TAG}|\[!\[[^\[\]]{{0,500}}\]{_LEADS}\s*\]{_LEADS})"
    r"|(?P<open>(?<![A-Za-z0-9_\]])!?\[)(?P<said>[^\[\]]{0,2000})\]"
    rf"(?:(?P<target>{_TARGET})|\[(?P<label>[^\[\]]{{0,200}})\])"
    rf"|(?<=[`\]*_])\](?P<after>{_TARGET})",
    re.DOTALL | re.IGNORECASE,
)
_BLOCK = re.compile(
    rf"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*>|\Z)|<[?!][^<>]*>|{_TAG}", re.DOTALL | re.IGNORECASE
)


def blanked(text: str) -> str:
    """Return spaces in place of all that is not white space."""
    return re.sub(r"\S", " ", text)


def without(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Return `text` with spaces in these spans, which may touch and overlap."""
    parts, at = [], 0
    for start, end in sorted(spans):
        parts += [text[at:start], blanked(text[max(at, start) : end])]
        at = max(at, end)
    return "".join([*parts, text[at:]])


def shown_inline(source: str, labels: Container[str]) -> str:
    """Return a paragraph, heading or table as its page shows it.

    Args:
        source: It, as it is written. Code in it is left alone.
        labels: Of the links that are defined, as `label_of` gives them.
    """

    def shown(found: re.Match[str]) -> str:
        if found["kept"]:
            return found[0]
        if found["unshown"]:
            return blanked(found[0])
        if found["after"]:
            return "]" + blanked(found["after"])
        label = found["label"]
        if label is not None and label_of(label or found["said"]) not in labels:
            return found[0]
        said = found["said"]
        rest = found[0][len(found["open"]) + len(said) :]
        return blanked(found["open"]) + _INLINE.sub(shown, said) + blanked(rest)

    return _INLINE.sub(shown, source)


def shown_html(source: str) -> str:
    """Return a block of HTML in a Markdown file as its page shows it; a comment that never ends is kept."""
    return _BLOCK.sub(lambda found: blanked(found[0]) if found[0].endswith(">") else found[0], source)


def label_of(written: str) -> str:
    """Return a link's label so that equal ones are equal."""
    return " ".join(written.split()).casefold()


def definitions(environment: Mapping[str, Any]) -> dict[str, list[tuple[int, int]]]:
    """Return label to lines (first, one past the last) of the links that markdown-it found defined.

    Footnotes of one word look like them; they are none.
    """
    found: dict[str, list[tuple[int, int]]] = {}
    links = [*environment.get("references", {}).items()]
    links += [(link["label"], link) for link in environment.get("duplicate_refs", ())]
    for label, link in links:
        if not label.startswith("^"):
            found.setdefault(label_of(label), []).append((link["map"][0], link["map"][1]))
    return found
