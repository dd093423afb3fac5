"""scipy's special functions, asked for where they are needed."""

from __future__ import annotations

from typing import Any

from eval.errors import MissingDependency


def scipy_special() -> Any:
    """Return scipy.special.

    Raises:
        MissingDependency: scipy is not installed.
    """
    try:
        import scipy.special
    except ImportError as error:
        raise MissingDependency("scipy", "a significance test") from error
    return scipy.special
