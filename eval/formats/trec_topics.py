"""TREC's topic files: the classic form, whose tags nobody closes, and the later one, which is XML.

    <top>                                       <topics>
    <num> Number: 301                             <topic number="1" type="faceted">
    <title> International Organized Crime           <query>horse hooves</query>
    <desc> Description:                             <description>Find information ...</description>
    Identify organizations that ...               </topic>
    </top>                                      </topics>

The title (or query) is the text; all the other fields become metadata under their tags' names. A topic without a
title, as in some years, takes its description as the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from eval.collection import Topic
from eval.errors import FormatError, InvalidEvaluation
from eval.formats.lines import decoded, numbered_lines

_TAG = re.compile(r"<(/?)([A-Za-z][\w-]*)(?:\s[^<>]*)?>")
_TITLES = ("title", "query", "desc", "description")
_LABEL = {
    "num": re.compile(r"number\s*:\s*", re.IGNORECASE),
    "title": re.compile(r"topic\s*:\s*", re.IGNORECASE),
    "desc": re.compile(r"description\s*:\s*", re.IGNORECASE),
    "narr": re.compile(r"narrative\s*:\s*", re.IGNORECASE),
}


def read_trec_topics(path: Path) -> Iterator[tuple[int, Topic]]:
    """Yield the topics of a file in either form, with the line that each begins at (of XML: 0).

    Raises:
        FormatError: a topic without number or text, text outside of topics, or XML that is none.
    """
    lines = [(number, decoded(path, number, line)) for number, line in numbered_lines(path)]
    # The later form names its root or puts the number into an attribute; the classic one does neither.
    opening = " ".join(line for _, line in lines[:3]).lower()
    if opening.startswith(("<?xml", "<topics", "<topic ")):
        return _later(path, "\n".join(line for _, line in lines))
    return _classic(path, lines)


def trec_topics(path: Path, topics: Mapping[str, Topic]) -> str:
    """Return topics in the classic form: number, title, and what metadata has as desc and narr.

    Raises:
        InvalidEvaluation: a text holds what reads as a tag.
    """
    parts = []
    for topic in topics.values():
        fields = {
            "num": topic.query_id,
            "title": topic.text,
            "desc": topic.metadata.get("desc", ""),
            "narr": topic.metadata.get("narr", ""),
        }
        for text in fields.values():
            if _TAG.search(text):
                raise InvalidEvaluation(
                    f"{path}: topic {topic.query_id!r} holds a tag ({text!r:.60}), which TREC's form cannot hold; "
                    "write .jsonl"
                )
        lines = [f"<num> Number: {topic.query_id}", f"<title> {' '.join(topic.text.split())}"]
        if fields["desc"]:
            lines.append(f"<desc> Description:\n{fields['desc']}")
        if fields["narr"]:
            lines.append(f"<narr> Narrative:\n{fields['narr']}")
        parts.append("<top>\n" + "\n".join(lines) + "\n</top>\n")
    return "\n".join(parts)


def _classic(path: Path, lines: list[tuple[int, str]]) -> Iterator[tuple[int, Topic]]:
    fields: dict[str, list[str]] | None = None
    name, began = "", 0
    for number, line in lines:
        at = 0
        for tag in _TAG.finditer(line):
            _keep(path, number, fields, name, line[at : tag.start()])
            at, closing, found = tag.end(), bool(tag[1]), tag[2].lower()
            if found == "top":
                if closing and fields is not None:
                    yield began, _topic(path, began, {key: " ".join(each) for key, each in fields.items()})
                elif not closing and fields is not None:
                    raise FormatError(
                        path, number, f"a <top> inside the one of line {began}; expected </top> first"
                    )
                fields, name, began = (None if closing else {}), "", number
            elif fields is not None:
                name = "" if closing else found
        _keep(path, number, fields, name, line[at:])
    if fields is not None:
        raise FormatError(path, began, "a <top> that no </top> ends; is the file cut off?")


def _keep(path: Path, line: int, fields: dict[str, list[str]] | None, name: str, text: str) -> None:
    if not text.strip():
        return
    if fields is None:
        raise FormatError(path, line, f"{text.strip()!r:.60} stands outside of <top> ... </top>")
    if name:
        fields.setdefault(name, []).append(text.strip())


def _topic(path: Path, line: int, fields: Mapping[str, str]) -> Topic:
    cleaned = {
        name: _LABEL[name].sub("", text, count=1) if name in _LABEL and _LABEL[name].match(text) else text
        for name, text in fields.items()
    }
    query_id = cleaned.pop("num", "").strip()
    used = next((name for name in _TITLES if cleaned.get(name)), None)
    if not query_id or used is None:
        lacks = "a number (<num>)" if not query_id else "a title (<title>)"
        raise FormatError(path, line, f"a topic without {lacks}; found {', '.join(fields) or 'no fields'}")
    text = cleaned.pop(used)
    return Topic(query_id, text, metadata={name: value for name, value in cleaned.items() if value})


def _later(path: Path, content: str) -> Iterator[tuple[int, Topic]]:
    from xml.etree.ElementTree import ParseError

    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root = fromstring(content)
    except (ParseError, DefusedXmlException, ValueError) as error:
        raise FormatError(path, getattr(error, "position", (0,))[0], f"is not sound XML ({error})") from error
    for element in root.iter("topic"):
        yield 0, _from_element(path, element)


def _from_element(path: Path, element: Any) -> Topic:
    fields: dict[str, list[str]] = {}
    for child in element:
        text = " ".join("".join(child.itertext()).split())
        fields.setdefault(child.tag.lower(), []).append(text)
    merged = {name: "; ".join(texts) for name, texts in fields.items()}
    number = element.get("number") or element.get("id") or merged.pop("number", "")
    merged |= {name: value for name, value in element.attrib.items() if name not in ("number", "id")}
    return _topic(path, 0, {"num": number, **merged})
