"""Is a system good, or has it found a shortcut? A field of the metadata, or the length of documents, that ranks well.

A shortcut knows nothing of the query: newest first, longest first. `shortcuts` finds those that a collection offers,
`ranked_alone` measures how good each is by itself, `explained` how much of a system's gain over a baseline a
preference for it accounts for, and `audit` does all of it. docs/statistics.md says what the numbers mean.
"""

from eval.audit.alone import Alone, ranked_alone
from eval.audit.audit import Audit, audit
from eval.audit.explained import Explained, explained
from eval.audit.shortcut import Shortcut, shortcuts

__all__ = ["Alone", "Audit", "Explained", "Shortcut", "audit", "explained", "ranked_alone", "shortcuts"]
