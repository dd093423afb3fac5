"""How to reach Elasticsearch, as the environment says: QUIRE_ELASTICSEARCH_USERNAME=..., one variable a setting.

A secret may be in a file, as container platforms hand them out: QUIRE_ELASTICSEARCH_PASSWORD_FILE=/run/secrets/x.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_type_hints

from indexer.elastic.settings import SECRETS, ElasticSettings
from indexer.errors import InvalidSettings
from indexer.setting_values import description, from_text

PREFIX = "QUIRE_ELASTICSEARCH_"
FILE = "_FILE"
"""Ends the name of a variable that says in which file a secret is."""


def settings_from_environment(environ: Mapping[str, str] | None = None) -> ElasticSettings:
    """Return the settings that the environment holds; what it does not say is as by default.

    Raises:
        InvalidSettings: a value cannot be used, or a file of a secret cannot be read; names the variable.
    """
    environ = os.environ if environ is None else environ
    hints = get_type_hints(ElasticSettings)
    _check_names(environ)
    values: dict[str, Any] = {}
    for field in fields(ElasticSettings):
        name = field.name
        variable = PREFIX + name.upper()
        if name in SECRETS and variable + FILE in environ:
            if variable in environ:
                raise InvalidSettings(f"{variable} and {variable}{FILE} are both set: keep one of them")
            values[name] = secret_in(variable + FILE, environ[variable + FILE])
        elif variable in environ:
            try:
                values[name] = from_text(hints[name], environ[variable])
            except ValueError as error:
                wrong = f"must be {description(hints[name])}" if name in SECRETS else str(error)
                raise InvalidSettings(f"{variable} {wrong}") from None
    return ElasticSettings(**values)


def _check_names(environ: Mapping[str, str]) -> None:
    known = {PREFIX + field.name.upper() for field in fields(ElasticSettings)}
    known |= {PREFIX + name.upper() + FILE for name in SECRETS}
    for variable in environ:
        if variable.startswith(PREFIX) and variable not in known:
            raise InvalidSettings(f"{variable} stands for no setting; there are {', '.join(sorted(known))}")


def secret_in(variable: str, path: str) -> str:
    """Return the secret that a file holds, without the end of its line.

    Args:
        variable: What named the file, for messages.
        path: The file.

    Raises:
        InvalidSettings: it cannot be read, or holds nothing.
    """
    try:
        secret = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InvalidSettings(f"{variable} names {path}, which cannot be read: {reason}") from error
    if not secret:
        raise InvalidSettings(
            f"{variable} names {path}, which is empty: expected the secret and nothing else"
        )
    return secret
