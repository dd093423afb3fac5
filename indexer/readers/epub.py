"""EPUB: the chapters in the order of the spine, each read as HTML."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from indexer.document import MetadataValue
from indexer.readers.archive import Archive
from indexer.readers.content import Content, TextBuilder, Unreadable
from indexer.readers.dates import to_date
from indexer.readers.decode import decode
from indexer.readers.html import declared_charset, parse
from indexer.readers.html_blocks import collapsed, plain_text, render
from indexer.readers.options import ReadOptions
from indexer.readers.safe_xml import local, parse_xml, text_of

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONT_ONLY = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
_PAGES = frozenset(("application/xhtml+xml", "text/html", "application/x-dtbook+xml", "text/x-oeb1-document"))


def read_epub(data: bytes, options: ReadOptions) -> Content:
    """Return the content of an EPUB file.

    A chapter that has no heading of its own gets the one that the table of contents gives it.

    Raises:
        Unreadable: it is damaged, protected (DRM), without text, or past a limit.
    """
    with Archive(data, options) as archive:
        names = archive.names()
        _refuse_protected(archive, names)
        package = _package_path(archive)
        opf = parse_xml(archive.read(package), package)
        folder = posixpath.dirname(package)
        manifest = _manifest(opf, folder)
        labels = _labels(archive, names, manifest)
        builder = TextBuilder(options.max_text_chars)
        for path in _spine(opf, manifest):
            _chapter(archive.read(path), labels.get(path, ""), builder)
    if not builder.length:
        raise Unreadable("is a book without text (of pictures only): there is nothing to index")
    return Content(builder.text(), text_of(opf, "title"), tuple(builder.blocks), (), _metadata(opf))


def _refuse_protected(archive: Archive, names: set[str]) -> None:
    if _ENCRYPTION not in names:
        return
    for method in parse_xml(archive.read(_ENCRYPTION), _ENCRYPTION).iter():
        if local(method.tag) == "EncryptionMethod" and method.get("Algorithm") not in _FONT_ONLY:
            raise Unreadable("is protected against copying (DRM), and cannot be read")


def _package_path(archive: Archive) -> str:
    for element in parse_xml(archive.read(_CONTAINER), _CONTAINER).iter():
        if local(element.tag) == "rootfile" and (path := element.get("full-path")):
            return path
    raise Unreadable(f"names no package in {_CONTAINER}: it is no whole EPUB")


def _manifest(opf: Element, folder: str) -> dict[str, tuple[str, str, str]]:
    """Return id to (path in the archive, media type, properties)."""
    return {
        item.get("id", ""): (
            posixpath.normpath(posixpath.join(folder, unquote(item.get("href", "").partition("#")[0]))),
            item.get("media-type", ""),
            item.get("properties", ""),
        )
        for item in opf.iter()
        if local(item.tag) == "item"
    }


def _spine(opf: Element, manifest: dict[str, tuple[str, str, str]]) -> Iterator[str]:
    seen: set[str] = set()
    for element in opf.iter():
        if local(element.tag) != "itemref":
            continue
        path, media_type, properties = manifest.get(element.get("idref", ""), ("", "", ""))
        if path and path not in seen and media_type in _PAGES and "nav" not in properties.split():
            seen.add(path)
            yield path


def _labels(archive: Archive, names: set[str], manifest: dict[str, tuple[str, str, str]]) -> dict[str, str]:
    """Return the first label that the table of contents gives each file."""
    labels: dict[str, str] = {}
    for path, media_type, properties in manifest.values():
        if path not in names:
            continue
        if "nav" in properties.split():
            found = _navigation(archive.read(path))
        elif media_type == "application/x-dtbncx+xml":
            found = _ncx(parse_xml(archive.read(path), path))
        else:
            continue
        for href, label in found:
            target = posixpath.normpath(
                posixpath.join(posixpath.dirname(path), unquote(href.partition("#")[0]))
            )
            labels.setdefault(target, label)
    return labels


def _navigation(page: bytes) -> Iterator[tuple[str, str]]:
    for link in parse(decode(page, declared_charset(page))).css("nav a[href]"):
        yield link.attributes.get("href") or "", collapsed(plain_text(link))


def _ncx(root: Element) -> Iterator[tuple[str, str]]:
    for point in root.iter():
        if local(point.tag) == "navPoint":
            target = next((child.get("src", "") for child in point if local(child.tag) == "content"), "")
            label = next((child for child in point if local(child.tag) == "navLabel"), None)
            if target and label is not None:
                yield target, " ".join("".join(label.itertext()).split())


def _chapter(page: bytes, label: str, builder: TextBuilder) -> None:
    body = parse(decode(page, declared_charset(page))).body
    if body is None:
        return
    if label and not _has_heading(body) and plain_text(body).strip():
        builder.add("heading", label, 1)
    render(body, {node.mem_id for node in body.css("nav, [hidden]")}, builder)


def _has_heading(body: LexborNode) -> bool:
    return any(collapsed(plain_text(node)) for node in body.css("h1, h2, h3, h4, h5, h6"))


def _metadata(opf: Element) -> dict[str, MetadataValue]:
    metadata: dict[str, MetadataValue] = {}
    authors = tuple(
        name
        for element in opf.iter()
        if local(element.tag) == "creator" and (name := " ".join("".join(element.itertext()).split()))
    )
    if authors:
        metadata["author"] = authors if len(authors) > 1 else authors[0]
    if language := text_of(opf, "language"):
        metadata["language"] = language
    if day := to_date(text_of(opf, "date")):
        metadata["date"] = day
    return metadata
