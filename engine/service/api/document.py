"""The OpenAPI document: what FastAPI finds out by itself, with problems as RFC 9457 has them."""

from __future__ import annotations

import re
import threading
from functools import cache
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from engine.service.api.answers import answered, dumped
from engine.service.api.schemas.jobs import NewDocumentsIn
from engine.service.api.schemas.problem import ProblemDetails

DESCRIPTION = """Personalised search over long documents.

Every request carries an API key, `Authorization: Bearer quire_...`. Where a list or a profile is a reader's own, the
header `Quire-Reader` carries the signed token that names the reader. Every error is a problem of RFC 9457.
"""

TAGS = {
    "search": "Asking, and what helps with it.",
    "documents": "Reading what was found.",
    "readers": "What is a reader's own. Who it is, the header `Quire-Reader` says.",
    "indexing": "Adding and deleting documents, as jobs.",
    "administration": "For whoever runs a site.",
}
REFERENCE = "#/components/schemas/"
PATH = "/v1/openapi.json"


def describe(app: FastAPI) -> None:
    """Have an application describe itself, at `PATH` for whoever asks.

    The document is made once, when it is first asked for, and beside the event loop: that takes a second, in which
    nobody else would be answered. FastAPI's own route (`openapi_url`) makes it on the loop, and its JSON each time.
    """
    lock = threading.Lock()

    def openapi() -> dict[str, Any]:
        with lock:
            if app.openapi_schema is None:
                app.openapi_schema = _document(app)
            return app.openapi_schema

    @cache
    def content() -> bytes:
        return dumped(openapi())

    async def document() -> Response:
        return answered(await to_thread.run_sync(content))

    app.openapi = openapi  # type: ignore[method-assign]
    app.add_api_route(PATH, document, include_in_schema=False)


def _document(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title="Quire",
        version="1",
        summary="Search, and what belongs to it, over one index.",
        description=DESCRIPTION,
        routes=app.routes,
        tags=[{"name": name, "description": says} for name, says in TAGS.items()],
        separate_input_output_schemas=False,
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for model in (ProblemDetails, NewDocumentsIn):  # named in answers and bodies that are written out by hand
        made = model.model_json_schema(ref_template=REFERENCE + "{model}")
        schemas |= made.pop("$defs", {})
        schemas[made["title"]] = made
    for operations in found["paths"].values():
        for operation in operations.values():
            _tidy(operation)
    names = {name: public_name(name) for name in schemas}
    for name, schema in schemas.items():
        schema["title"] = names[name]
    found["components"]["schemas"] = {names[name]: schemas[name] for name in sorted(schemas)}
    renamed: dict[str, Any] = _renamed(
        found, {REFERENCE + old: REFERENCE + new for old, new in names.items()}
    )
    return renamed


def public_name(name: str) -> str:
    """Return what the document calls a schema: `Ranking` for RankingOut, `SearchRequest` for SearchIn."""
    return name.removesuffix("In") + "Request" if name.endswith("In") else name.removesuffix("Out")


def _tidy(operation: dict[str, Any]) -> None:
    """Let an operation's first sentence be its summary, and its answers stand in order."""
    first, *rest = re.split(r"\.(?=\s|$)", operation["description"], maxsplit=1)
    operation["summary"] = first
    operation["description"] = "".join(rest).strip() or first
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _renamed(value: Any, names: dict[str, str]) -> Any:
    """Return a JSON value with its references renamed."""
    if isinstance(value, dict):
        return {
            key: names.get(one, one) if key == "$ref" else _renamed(one, names) for key, one in value.items()
        }
    return [_renamed(one, names) for one in value] if isinstance(value, list) else value
