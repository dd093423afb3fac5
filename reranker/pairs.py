"""What a cross-encoder reads of a passage."""

from __future__ import annotations

from dataclasses import dataclass

SEPARATOR = " › "
_MAX_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage, and where it stands.

    Args:
        text: The passage.
        title: Its document's.
        headings: Above it, outermost first.
    """

    text: str
    title: str = ""
    headings: tuple[str, ...] = ()

    @property
    def context(self) -> str:
        """`title › heading › heading` on one line; a part that is empty or repeats the one before is left out."""
        shown: list[str] = []
        for part in (self.title, *self.headings):
            line = " ".join(part[:_MAX_CHARACTERS].split())
            if line and not (shown and _stands_for(line, shown[-1])):
                shown.append(line)
        return SEPARATOR.join(shown)

    @property
    def full(self) -> str:
        """The context, a line break, and the text; either alone where the other is empty."""
        context = self.context
        return f"{context}\n{self.text}" if context and self.text else context or self.text


def passage_text(passage: str | PassageText) -> PassageText:
    """Return a passage with its place: a bare text has none."""
    return PassageText(passage) if isinstance(passage, str) else passage


def _stands_for(part: str, before: str) -> bool:
    """Tell whether a heading repeats the part before it, or is its beginning with an ellipsis."""
    if part.casefold() == before.casefold():
        return True
    return len(part) > 1 and part.endswith("…") and before.startswith(part[:-1])
