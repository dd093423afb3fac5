"""XML from files that nobody vouches for: no entities, no external references."""

from __future__ import annotations

from xml.etree.ElementTree import Element, ParseError

from indexer.readers.content import Unreadable


def parse_xml(data: bytes, name: str) -> Element:
    """Return the root element of `data`, a part called `name`.

    Raises:
        Unreadable: it is not well-formed, or declares entities.
    """
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        root: Element = fromstring(data, forbid_dtd=False, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        raise Unreadable(
            f"has entities in its part {name}, which documents do not need and attacks do"
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"has a part {name} that is not well-formed XML ({error})") from error
    return root


def local(tag: str) -> str:
    """Return a tag without its namespace."""
    return tag.rpartition("}")[2]


def text_of(root: Element, name: str) -> str:
    """Return the text of the first element with this local name, on one line; empty where there is none."""
    for element in root.iter():
        if local(element.tag) == name:
            return " ".join("".join(element.itertext()).split())
    return ""
