"""What things are called on a page: text on one line, no longer than there is room for; documents by their titles."""

from __future__ import annotations

LONGEST_TITLE = 240
LONGEST_LABEL = 120


def shortened(text: str, most: int) -> str:
    """Return text on one line, of at most so many characters."""
    text = " ".join(text.split())
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def name_of(title: str, doc_id: str) -> tuple[str, bool]:
    """Return what a document is called, and whether that is its title: else it is the last part of its id."""
    if title.strip():
        return shortened(title, LONGEST_TITLE), True
    last = doc_id.rstrip("/").rpartition("/")[2]
    return shortened(last or doc_id, LONGEST_TITLE) or "—", False
