"""What can go wrong while re-ordering, or while training what re-orders.

    RerankerError
    ├── RerankerModelError        a model that is not found, damaged, mismatched, or gives no numbers
    ├── InvalidRerankerSettings   an argument outside its range, or two that do not go together
    ├── TrainingDataError         data that cannot be trained on; names the place
    ├── InvalidTrainingSettings   a setting of training outside its range
    ├── TrainingInterrupted       stopped on request; a checkpoint is saved, and the message says how to go on
    └── MissingDependency         a library that the base install does not bring; names the install line

Every message says what was found, what was expected, and what to do.
"""

from __future__ import annotations


class RerankerError(Exception):
    """Root of every error that this package raises."""


class RerankerModelError(RerankerError):
    """A reranker's files cannot be found, read or run, or do not belong together."""


class InvalidRerankerSettings(RerankerError):
    """An argument is outside its range, or two do not go together."""


class TrainingDataError(RerankerError):
    """The data cannot be trained on."""


class InvalidTrainingSettings(RerankerError):
    """A setting of training is outside its range."""


class TrainingInterrupted(RerankerError):
    """Training was stopped on request, after a checkpoint was saved."""


class MissingDependency(RerankerError):
    """A library is needed that is not installed.

    Args:
        what: What was to be done, as the beginning of a sentence: `running on a GPU`.
        packages: The libraries that are missing.
        extra: The extra of quire-search that brings them.
    """

    def __init__(self, what: str, packages: list[str], extra: str) -> None:
        self.packages = packages
        self.extra = extra
        super().__init__(
            f"{what} needs {' and '.join(packages)}, and this installation has none: install with "
            f"`pip install 'quire-search[{extra}]'`"
        )
