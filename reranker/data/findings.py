"""What is wrong with training data: `Finding`, `Findings`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from reranker.errors import TrainingDataError

Severity: TypeAlias = Literal["error", "warning"]
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that is wrong, however often.

    Args:
        kind: Its name, such as `leak`.
        severity: Whether training must not start, or may.
        count: How often.
        problem: What was found and what was expected.
        advice: What to do.
        examples: The first few places.
    """

    kind: str
    severity: Severity
    count: int
    problem: str
    advice: str
    examples: tuple[str, ...]

    def __str__(self) -> str:
        shown = "; ".join(self.examples) + ("; ..." if self.count > len(self.examples) else "")
        return f"{self.count:,} x {self.problem} ({shown}). {self.advice}"


@dataclass(frozen=True, slots=True)
class Findings:
    """All that was found: errors first."""

    found: tuple[Finding, ...]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.found)

    def __bool__(self) -> bool:
        return bool(self.found)

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Those with which training must not start."""
        return tuple(finding for finding in self.found if finding.severity == "error")

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """Those that the user should know."""
        return tuple(finding for finding in self.found if finding.severity == "warning")

    def refuse_errors(self) -> Findings:
        """Return the findings.

        Raises:
            TrainingDataError: there are errors among them; the message tells each.
        """
        if self.errors:
            told = "\n".join(f"- {finding}" for finding in self.errors)
            raise TrainingDataError(f"the training data cannot be used:\n{told}")
        return self
