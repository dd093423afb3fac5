"""`Call`: one request, and how its answer is read. It knows no transport: both clients send the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter, signature
from pathlib import Path
from typing import Generic, TypeVar

import httpx

from engine.service.client.errors import ServiceProblem, not_ours, problem_from
from engine.service.client.reading import read
from engine.service.client.server_events import ServerEvent

T = TypeVar("T")
_LAST = "ranking"
"""The event that a stream ends with, unless it is `problem`."""


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One request.

    Args:
        method: GET, POST or DELETE.
        path: After the address of the service, with its slash.
        kind: What the answer is read as.
        params: What stands in the address; None and empty lists are left out.
        body: The JSON of the request; None for none.
        headers: Headers of its own.
        files: Files sent in place of JSON: each its document's id, empty for the file's name, and where it is.
        repeatable: Whether being sent twice does no more than being sent once.
    """

    method: str
    path: str
    kind: type[T]
    params: Mapping[str, object] | None = None
    body: object = None
    headers: Mapping[str, str] | None = None
    files: Sequence[tuple[str, Path]] = ()
    repeatable: bool = False

    @property
    def query(self) -> list[tuple[str, str]]:
        """The parameters as they stand in the address."""
        return [
            (name, _text(one))
            for name, value in (self.params or {}).items()
            for one in (value if isinstance(value, list | tuple) else (value,))
            if one is not None
        ]

    def answer(self, response: httpx.Response) -> T:
        """Return what a whole response says.

        Raises:
            ServiceProblem: it says what went wrong, or is none of Quire's.
        """
        if not response.is_success:
            raise problem_in(response)
        return read(self.kind, _loads(response.text))

    def event(self, event: ServerEvent, headers: Mapping[str, str]) -> T:
        """Return what an event of a stream says.

        Args:
            event: The event.
            headers: Of the answer that it is part of.

        Raises:
            ServiceProblem: it says what went wrong, or is none of Quire's.
        """
        body = _loads(event.data)
        if event.name == "problem":
            status = body.get("status") if isinstance(body, dict) else None
            raise problem_from(status if isinstance(status, int) else 500, headers, body)
        return read(self.kind, {"event": event.name, "data": body})


def check_whole(last: str) -> None:
    """Make sure that a stream came to its end.

    Args:
        last: The name of its last event; empty where it had none.

    Raises:
        ServiceProblem: it broke off, or is none of Quire's.
    """
    if last != _LAST:
        raise not_ours(f"a stream that ends with {f'its event {last!r:.40}' if last else 'no event'}")


def problem_in(response: httpx.Response) -> ServiceProblem:
    """Return the error that a whole response is."""
    kind = response.headers.get("content-type", "").partition(";")[0].strip()
    body: object = None
    if kind in ("application/problem+json", "application/json"):
        try:
            body = response.json()
        except ValueError:
            body = None  # such as what a proxy cut short: the status is all there is to tell
    return problem_from(response.status_code, response.headers, body)


def _loads(text: str) -> object:
    try:
        loaded: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise not_ours(f"no JSON: {text!r:.80}") from error
    return loaded


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


M = TypeVar("M", bound=Callable[..., object])


def as_method(method: M, build: Callable[..., object]) -> M:
    """Return a method with the signature of the function that makes its request, so that `help` shows it."""
    shown = signature(build)
    answer = str(shown.return_annotation).removeprefix("Call[").removesuffix("]")
    parameters = [Parameter("self", Parameter.POSITIONAL_ONLY), *shown.parameters.values()]
    method.__signature__ = shown.replace(  # type: ignore[attr-defined]
        parameters=parameters, return_annotation=answer
    )
    return method
