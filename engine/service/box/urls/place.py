"""`Place`: a place in a document as a URL holds it, with the search that it was found by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

from engine.service.box.urls.asked import Asked

PASSAGE = "passage"
"""The fragment that leads to the passage of a document's page."""
_FARTHEST = 10**12


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which document.

    Numbers that make no sense are left out, as `Asked` does.

    Args:
        doc_id: Which document.
        start: First character of the passage that is marked; None for none.
        end: One past its last.
        at: Where the stretch of text begins that is shown; None for around the passage.
        asked: The search that led here.
    """

    doc_id: str = ""
    start: int | None = None
    end: int | None = None
    at: int | None = None
    asked: Asked = field(default_factory=Asked)

    @classmethod
    def of(cls, parameters: Iterable[tuple[str, str]], usual: tuple[bool, float] = (True, 1.0)) -> Place:
        """Return the place that the parameters of a URL name; `usual` is as `Asked.of` has it."""
        pairs = list(parameters)
        last = dict(pairs)
        start, end = _offset(last.get("start", "")), _offset(last.get("end", ""))
        if start is None or end is None or end <= start:
            start = end = None
        return cls(last.get("id", ""), start, end, _offset(last.get("at", "")), Asked.of(pairs, usual))

    def url(self, path: str = "/document", *, fragment: str = "") -> str:
        """Return the URL of a page about this place."""
        numbers = (("start", self.start), ("end", self.end), ("at", self.at))
        pairs = [("id", self.doc_id), *((name, str(value)) for name, value in numbers if value is not None)]
        anchor = f"#{fragment}" if fragment else ""
        return f"{path}?{urlencode([*pairs, *self.asked.pairs], quote_via=quote)}{anchor}"

    def passage(self, start: int, end: int) -> str:
        """Return the URL of this document opened at a passage."""
        return replace(self, start=start, end=end, at=None).url(fragment=PASSAGE)

    def whole(self, doc_id: str, path: str = "/document") -> str:
        """Return the URL of a page about a document as a whole, itself or another one."""
        return replace(self, doc_id=doc_id, start=None, end=None, at=None).url(path)

    def page_of(self, path: str) -> str:
        """Return the URL of a page about this document that knows no places."""
        return self.whole(self.doc_id, path)


def _offset(written: str) -> int | None:
    if not written.isascii() or not written.isdigit() or len(written) > len(str(_FARTHEST)):
        return None
    return min(int(written), _FARTHEST)
