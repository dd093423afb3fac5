"""What can go wrong while evaluating.

    EvalError
    ├── FormatError(path, line)   a line of a file of topics, judgements, runs or events that cannot be read
    ├── UnknownMeasure            a measure's name that cannot be parsed; may carry a suggestion
    ├── MissingDependency         a library that comes with an extra is not installed
    ├── InvalidExperiment         a definition of an experiment that cannot be understood
    ├── PipelineFailed            a pipeline cannot be made ready, or cannot answer (eval.experiment.pipeline)
    └── InvalidEvaluation         data that cannot be evaluated, or not together

A message says what was found, what was expected, and what to do. Errors of ir_measures, scipy, pyarrow and
ir_datasets are mapped where they are called; those of the engine pass through as they are.
"""

from __future__ import annotations

from pathlib import Path


class EvalError(Exception):
    """Root of every error that this package raises."""


class FormatError(EvalError):
    """A file cannot be read as what it should be.

    Args:
        path: The file.
        line: The line, from 1; 0 where it is the file as a whole.
        problem: What was found, what was expected, and what to do.
    """

    def __init__(self, path: Path | str, line: int, problem: str) -> None:
        self.path = Path(path)
        self.line = line
        self.problem = problem
        super().__init__(f"{path}:{line}: {problem}" if line else f"{path}: {problem}")


class UnknownMeasure(EvalError):
    """A measure's name is not known, or its parameters are not.

    Args:
        message: What was found and what was expected.
        suggestion: The name that was probably meant, or the empty string.
    """

    def __init__(self, message: str, suggestion: str = "") -> None:
        self.suggestion = suggestion
        super().__init__(message)


class MissingDependency(EvalError):
    """A library that this needs is not installed.

    Args:
        library: Its name.
        purpose: What it is needed for.
        extra: The extra of quire-search that brings it.
    """

    def __init__(self, library: str, purpose: str, extra: str = "eval") -> None:
        self.library = library
        super().__init__(
            f"{purpose} needs {library}, which is not installed; `pip install 'quire-search[{extra}]'` brings it"
        )


class InvalidExperiment(EvalError):
    """The definition of an experiment has a key, a value or a name that is not understood."""


class InvalidEvaluation(EvalError):
    """The data cannot be evaluated: nothing is judged, or two runs have no query in common."""
