"""What may be meant by what was typed so far?

`build_completions` makes `Completions` of one generation of an index, from the titles and headings of its documents;
each `Completion` that they give is a query with something to find. `pieces` cuts texts into what is compared, `entries`
gathers titles and headings, `postings` finds those that hold a piece.
"""

from engine.completion.completion import Completion
from engine.completion.completions import Completions, build_completions

__all__ = ["Completion", "Completions", "build_completions"]
