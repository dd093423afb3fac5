"""What do clicks say? Estimates from logs of what readers were shown and what they opened.

log = read_log("clicks.jsonl")
examination(log.impressions)                     how much each place is looked at; relevance without it
analyse_interleaving(log.impressions)            which of two systems the readers' clicks prefer
rankings_estimate(log.impressions, run)          what a system would have got that was never shown
"""

from eval.online.cascade import DependentClicks, dependent_clicks
from eval.online.click_rates import Rate, by_document, by_place
from eval.online.counterfactual import Estimate, clipping, places_estimate, rankings_estimate
from eval.online.interleaving import Interleaved, probabilistic, team_draft
from eval.online.log import Impression, Log, Problem, read_log
from eval.online.outcome import InterleavingOutcome, analyse_interleaving
from eval.online.position import Examination, Relevance, examination, examination_from_moves, relevance

__all__ = [
    "DependentClicks",
    "Estimate",
    "Examination",
    "Impression",
    "Interleaved",
    "InterleavingOutcome",
    "Log",
    "Problem",
    "Rate",
    "Relevance",
    "analyse_interleaving",
    "by_document",
    "by_place",
    "clipping",
    "dependent_clicks",
    "examination",
    "examination_from_moves",
    "places_estimate",
    "probabilistic",
    "rankings_estimate",
    "read_log",
    "relevance",
    "team_draft",
]
