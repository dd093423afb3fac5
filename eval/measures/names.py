"""The names under which people know measures, and a guess at what a name was meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

# trec_eval's names, and those of other tools, in lower case.
_SPELLINGS = {
    "map": "AP",
    "mean_average_precision": "AP",
    "map_cut": "AP",
    "mrr": "RR",
    "recip_rank": "RR",
    "reciprocal_rank": "RR",
    "ndcg_cut": "nDCG",
    "recall": "R",
    "precision": "P",
    "prec": "P",
    "hit": "Success",
    "hits": "Success",
    "hit_rate": "Success",
    "hitrate": "Success",
    "hr": "Success",
    "r_precision": "Rprec",
    "r-precision": "Rprec",
    "iprec_at_recall": "IPrec",
    "set_p": "SetP",
    "set_recall": "SetR",
    "set_f": "SetF",
    "set_map": "SetAP",
    "set_relative_p": "SetRelP",
    "num_q": "NumQ",
    "num_ret": "NumRet",
    "num_rel": "NumRel",
    "num_rel_ret": "NumRelRet",
    "α_ndcg": "alpha_nDCG",
    "α-ndcg": "alpha_nDCG",
    "alpha-ndcg": "alpha_nDCG",
    "α_dcg": "alpha_DCG",
    "strec": "StRecall",
}
_PARTS = re.compile(r"(?P<base>[^\s(@]+)(?P<rest>.*)", re.DOTALL)
_NUMBERED = re.compile(r"(?P<base>.*[^\W\d_])[_.](?P<number>\d+(?:\.\d+)?)")


def canonical(name: str, known: Iterable[str]) -> str:
    """Return a measure's name with its base name spelled as `known` has it: `ndcg_cut_10` as nDCG@10.

    Args:
        name: As somebody typed it.
        known: All base names.

    Returns:
        The name; as it was where its base name is not known.
    """
    match = _PARTS.fullmatch(name.strip())
    if match is None:
        return name.strip()
    base, rest = match["base"], match["rest"]
    known = set(known)
    spelled = _spelled(base, known)
    if spelled is None and not rest:
        numbered = _NUMBERED.fullmatch(base)
        if numbered is not None:
            spelled, rest = _spelled(numbered["base"], known), f"@{numbered['number']}"
    return (spelled or base) + (rest if spelled else match["rest"])


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return the name that was probably meant, or the empty string."""
    match = _PARTS.fullmatch(name.strip())
    if match is None:
        return ""
    base, rest = match["base"], match["rest"]
    bare = re.fullmatch(r"(.*?\D)(\d+)", base)
    if bare is not None and not rest:
        base, rest = bare[1].rstrip("_-. "), f"@{bare[2]}"
    choices = {each.lower(): each for each in known} | _SPELLINGS
    if base.lower() in choices and not bare:
        return ""  # the name is right, and something else is not
    close = get_close_matches(base.lower(), choices, n=1, cutoff=0.6)
    return choices[close[0]] + rest if close else ""


def _spelled(base: str, known: set[str]) -> str | None:
    lower = base.lower()
    if lower in _SPELLINGS:
        return _SPELLINGS[lower]
    if base in known:
        return base
    return next((each for each in sorted(known) if each.lower() == lower), None)
