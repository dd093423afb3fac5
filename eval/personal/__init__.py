"""Does a list get better because of who asks? Judged from files, so that any engine's run can be.

    study = personal_study(anonymous, personal, judgements, topics, events, shuffled=shuffled)
    print(study.measures[0].verdict)

- `read_events`, `each_event`, `write_events`: the log of what readers did (`engine.event.Event`).
- `split_at`, `split_last`, `split_share`: a log into history and future; `leakage_of_split` checks one.
- `personal_study`: a personalised run against the anonymous one, with controls, harm, groups, what is shown.
- `recommendation_study`: rankings without a query against held-out documents.
- `histories_of`, `stand_in_histories`: what a personalised run, and its control, may be made from.
"""

from eval.personal.event_files import each_event, read_events, write_events
from eval.personal.histories import Histories, histories_of, stand_in_histories
from eval.personal.leakage import Leakage, leakage_of_split, leakage_of_study
from eval.personal.measured import MeasureStudy
from eval.personal.recommendation import Recommended, popularity_run, recommendation_study
from eval.personal.splits import Split, cut_for_share, split_at, split_last, split_share
from eval.personal.study import PersonalStudy, RunMaker, personal_study

__all__ = [
    "Histories",
    "Leakage",
    "MeasureStudy",
    "PersonalStudy",
    "Recommended",
    "RunMaker",
    "Split",
    "cut_for_share",
    "each_event",
    "histories_of",
    "leakage_of_split",
    "leakage_of_study",
    "personal_study",
    "popularity_run",
    "read_events",
    "recommendation_study",
    "split_at",
    "split_last",
    "split_share",
    "stand_in_histories",
    "write_events",
]
