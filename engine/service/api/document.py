"""The OpenAPI document: what FastAPI finds out by itself, with problems as RFC 9457 has them."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from engine.service.api.schemas.jobs import NewDocumentsIn
from engine.service.api.schemas.problem import ProblemDetails

DESCRIPTION = """Personalised search over long documents.

Every request carries an API key, `Authorization: Bearer quire_...`. Where a list or a profile is a reader's own, the
header `Quire-Reader` carries the signed token that names the reader. Every error is a problem of RFC 9457.
"""


def describe(app: FastAPI) -> None:
    """Have an application describe itself at its `openapi_url`."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title="Quire",
        version="1",
        summary="Search, and what belongs to it, over one index.",
        description=DESCRIPTION,
        routes=app.routes,
        separate_input_output_schemas=False,
    )
    schemas = found.setdefault("components", {}).setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    for model in (ProblemDetails, NewDocumentsIn):  # named in answers and bodies that are written out by hand
        made = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= made.pop("$defs", {})
        schemas[made["title"]] = made
    return found
