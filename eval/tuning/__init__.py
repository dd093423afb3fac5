"""Which weights serve best, and is changing them safe?

`tune` looks for values of some parameters on judged queries, measures what it chose on queries that it did not look
at, and keeps a change only where the gate lets it pass. `SearchTrials` is what it tries: `SearchEngine` on one or
more collections. `write_settings` puts what passed into a configuration file.

    with SearchTrials([TuningSource("my-index", collection)], parse_measure("nDCG@10"), SearchSettings()) as trials:
        tuning = tune(trials, search_stages(["alpha"], SearchSettings()))
    write_settings(Path("quire.toml"), "search", tuning.changes)
"""

from eval.tuning.configuration_file import write_settings
from eval.tuning.cross_validation import StageOutcome, Tuning, tune
from eval.tuning.folds import collection_folds, query_folds
from eval.tuning.gate import Gate, Verdict
from eval.tuning.in_words import decisions, held_out, trials_table
from eval.tuning.search_trials import SearchTrials, TuningSource
from eval.tuning.stages import Parameter, Stage, search_stages
from eval.tuning.trial import JudgedQuery, Trials

__all__ = [
    "Gate",
    "JudgedQuery",
    "Parameter",
    "SearchTrials",
    "Stage",
    "StageOutcome",
    "Trials",
    "Tuning",
    "TuningSource",
    "Verdict",
    "collection_folds",
    "decisions",
    "held_out",
    "query_folds",
    "search_stages",
    "trials_table",
    "tune",
    "write_settings",
]
