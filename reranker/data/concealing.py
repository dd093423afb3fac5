"""What passages say, and what they must not say where a title or heading is the query."""

from __future__ import annotations

from dataclasses import replace

from reranker.data.judged import Shown
from reranker.data.wording import normal
from reranker.pairs import PassageText


def concealed(passage: PassageText, shown: Shown) -> PassageText:
    """Return a passage that shows no more of where it stands than `shown` says.

    Unless all is shown, its own title and headings are taken out of the text, too, where they stand on a line of their
    own: records often begin with their title.
    """
    if shown == "all":
        return passage
    names = {normal(name) for name in (passage.title, *passage.headings)} - {""}
    text = _without_lines(passage.text, names)
    if shown == "text":
        return PassageText(text)
    return replace(passage, text=text, headings=passage.headings[:-1])


def said(passage: PassageText) -> str:
    """Return what a passage says: its text, or where it has none, its title and headings."""
    return passage.text if passage.text.strip() else passage.context


def _without_lines(text: str, names: set[str]) -> str:
    lines = text.splitlines(keepends=True)
    kept = [line for line in lines if normal(line) not in names]
    return text if len(kept) == len(lines) else "".join(kept).strip()
