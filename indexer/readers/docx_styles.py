"""What a Word paragraph's style makes of it: a heading, a list item, the title, or plain text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from indexer.readers.safe_xml import local

_HEADING = re.compile(
    r"(?:heading|überschrift|titre|título|titolo|标题|標題|見出し)\s*([1-9])", re.IGNORECASE
)
_LIST = re.compile(r"list (?:bullet|number|continue)\s*([2-5]?)", re.IGNORECASE)
_MAX_CHAIN = 20


@dataclass(frozen=True, slots=True)
class Look:
    """What a paragraph is.

    Args:
        heading: Its level, or 0.
        list_level: Its nesting as a list item, or 0.
        is_title: Whether it is the document's title.
    """

    heading: int = 0
    list_level: int = 0
    is_title: bool = False


class Styles:
    """The styles of one document.

    Args:
        root: The root of `word/styles.xml`, or None where a document has none.
    """

    def __init__(self, root: Element | None) -> None:
        self._styles: dict[str, Element] = {}
        for style in root if root is not None else ():
            name = _attribute(style, "styleId")
            if local(style.tag) == "style" and name:
                self._styles[name] = style

    def look(self, paragraph: Element) -> Look:
        """Return what `paragraph` is: its own properties first, then its style's and those it is based on."""
        heading, item, title = 0, 0, False
        properties = _child(paragraph, "pPr")
        style = _attribute(_child(properties, "pStyle"), "val")
        for _ in range(_MAX_CHAIN):
            heading = heading or _outline(properties)
            item = item or _numbering(properties)
            element = self._styles.get(style)
            if element is None:
                named = style
            else:
                named = _attribute(_child(element, "name"), "val")
            heading = heading or (int(match.group(1)) if (match := _HEADING.fullmatch(named)) else 0)
            item = item or (int(match.group(1) or 1) if (match := _LIST.fullmatch(named)) else 0)
            title = title or named.lower() == "title"
            if element is None:
                break
            properties = _child(element, "pPr")
            style = _attribute(_child(element, "basedOn"), "val")
        if title or heading:
            return Look(heading or 1, 0, title)
        return Look(0, item)


def _outline(properties: Element | None) -> int:
    value = _attribute(_child(properties, "outlineLvl"), "val")
    return int(value) + 1 if value.isdecimal() and int(value) < 9 else 0


def _numbering(properties: Element | None) -> int:
    numbering = _child(properties, "numPr")
    if numbering is None or _attribute(_child(numbering, "numId"), "val") == "0":
        return 0
    level = _attribute(_child(numbering, "ilvl"), "val")
    return min(int(level) + 1, 9) if level.isdecimal() else 1


def _child(element: Element | None, name: str) -> Element | None:
    return (
        next((child for child in element if local(child.tag) == name), None) if element is not None else None
    )


def _attribute(element: Element | None, name: str) -> str:
    if element is None:
        return ""
    return next((value for key, value in element.items() if local(key) == name), "")
