"""The prompt of `quire search INDEX`: ask for a query, show what is found, again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from engine.errors import SearchError
from quire.results import account_lines, render
from quire.terminal import Screen

if TYPE_CHECKING:
    from engine import Ranking, SearchEngine
    from indexer.filters import Filter

HELP = """\
Type what you are looking for: words, "exact phrases", +required, -excluded, field:value.
  :more      the next page             :why N     why the Nth result is there
  :words     by words alone            :meaning   by meaning alone            :both   by both, reranked
  :user ID   as this reader            :user      as nobody in particular
  :help      this                      :quit      or Ctrl-D: leave"""

MODES = {"words": 0.0, "meaning": 1.0}


@dataclass(slots=True)
class Prompt:
    """One conversation.

    Args:
        engine: Answers.
        k: Results a page.
        filters: Holds for every query.
        explain: Show every score word by word.
        read: Asks the user for a line; raises EOFError at the end.
        user_id: Whose interests count; None for nobody's.
        strength: How much they count.
    """

    engine: SearchEngine
    k: int
    filters: Filter | None = None
    explain: bool = False
    read: Callable[[str], str] = input
    user_id: str | None = None
    strength: float = 1.0
    _query: str = ""
    _mode: str = "both"
    _page: Ranking | None = None

    def run(self) -> None:
        """Ask and answer until the user leaves."""
        screen = Screen.of()
        click.echo(screen.style("Type a query, :help for help, :quit to leave.", "dim"), color=True)
        while True:
            try:
                line = self.read("quire> ").strip()
            except (EOFError, KeyboardInterrupt):
                click.echo()
                return
            if line in (":quit", ":q", ":exit"):
                return
            try:
                for out in self.answer(line, Screen.of()):
                    click.echo(out, color=True)
            except SearchError as error:
                click.echo(f"quire: {error}", err=True)
            sys.stdout.flush()

    def answer(self, line: str, screen: Screen) -> Iterator[str]:
        """Yield the lines that answer one line of input."""
        if not line:
            return
        if not line.startswith(":"):
            self._query = line
            yield from self._show(None, screen)
            return
        command, _, rest = line[1:].partition(" ")
        if command == "more":
            yield from self._more(screen)
        elif command == "why":
            yield from self._why(rest.strip(), screen)
        elif command in ("words", "meaning", "both"):
            self._mode = command
            yield f"From now on by {'words and meaning' if command == 'both' else command + ' alone'}."
            if self._query:
                yield from self._show(None, screen)
        elif command == "user":
            self.user_id = rest.strip() or None
            yield (
                f"From now on as {self.user_id}." if self.user_id else "From now on as nobody in particular."
            )
            if self._query:
                yield from self._show(None, screen)
        else:
            yield HELP

    def _show(self, cursor: str | None, screen: Screen) -> Iterator[str]:
        from dataclasses import replace

        from engine import Query

        settings = replace(self.engine.settings, passages_per_hit=1)
        if self._mode in MODES:
            settings = replace(settings, alpha=MODES[self._mode], rerank_depth=0)
        self._page = self.engine.search(
            Query(self._query, user_id=self.user_id, strength=self.strength),
            k=self.k,
            filters=self.filters,
            cursor=cursor,
            explain=True,
            settings=settings,
        )
        yield ""
        yield from render(self._page, screen, explain=self.explain)

    def _more(self, screen: Screen) -> Iterator[str]:
        cursor = self._page.cursor if self._page else None
        if cursor is None:
            yield "There is no more." if self._page else "Search for something first."
        else:
            yield from self._show(cursor, screen)

    def _why(self, number: str, screen: Screen) -> Iterator[str]:
        hits = self._page.hits if self._page else ()
        for hit in hits:
            if str(hit.rank) == number:
                yield f"{hit.rank}. {hit.title or hit.doc_id}"
                yield from account_lines(hit, screen, explain=True)
                return
        yield "Name a result by its number, such as  :why 1" if hits else "Search for something first."
