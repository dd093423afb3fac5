"""What a ledger says, in the words of the page: how a term came about, and what of a reader's past has a part in it."""

from __future__ import annotations

from engine.ledger import Because, Ledger, Term
from engine.service.box.page.naming import LONGEST_LABEL, shortened
from engine.service.box.words.told import Told, told
from engine.service.box.words.words import Words


def because(one: Because, words: Words) -> str:
    """Return one thing of a reader's past as the reason that it is."""
    title = shortened(one.title or one.doc_id, LONGEST_LABEL)
    return words(f"because.{one.source}" + (".not" if one.value < 0 else ""), title=title)


def detail(term: Term, ledger: Ledger, words: Words) -> Told:
    """Return how a term of a score came about: of interests in the words of the page, of all else in the engine's."""
    if term.name == "interest" and ledger.because:
        return Told(_interest(ledger, words))
    return told(term.detail, words.language)


def _interest(ledger: Ledger, words: Words) -> str:
    """Return what of the past speaks most for a document and what most against it, with figures."""
    liked = [one for one in ledger.because if one.value >= 0][:1]
    disliked = [one for one in ledger.because if one.value < 0][:1]
    said = (f"{because(one, words)} ({one.value:.2f})" for one in (*liked, *disliked))
    return words("why.past.join").join(said)
