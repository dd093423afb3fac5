"""Fetches a model from the hub: only the files that an encoder needs, checked when they have come.

The work is `huggingface_hub`'s (it comes with `tokenizers`): resuming, locking, tokens (HF_TOKEN), other
servers (HF_ENDPOINT). It is imported when something is to be fetched, never before.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
from pathlib import Path

from indexer.errors import ModelError, ModelNotFound

_LOG = logging.getLogger(__name__)

FILES = (
    "config.json",
    "modules.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "vocab.txt",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-[0-9]*.safetensors",
    "[0-9]_*/*.json",
    "[0-9]_*/model.safetensors",
)
_SHA256 = re.compile("[0-9a-f]{64}")


def download(repository: str, cache: Path, revision: str | None, looked: list[str]) -> Path:
    """Fetch a model into the hub's cache and return its folder.

    Args:
        repository: `owner/name`.
        cache: The hub's cache.
        revision: A branch, tag or commit; None for `main`.
        looked: Where the model was sought before, for the message.

    Raises:
        ModelNotFound: the hub has no such model, or not for this user.
        ModelError: the hub cannot be reached, or what came is damaged.
    """
    from huggingface_hub import errors, snapshot_download

    endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    place = f"{repository}{'@' + revision if revision else ''} on {endpoint}"
    _LOG.info("fetching %s into %s", place, cache)
    before = f" Looked before at: {'; '.join(looked)}." if looked else ""
    try:
        root = Path(
            snapshot_download(
                repository,
                revision=revision,
                cache_dir=cache,
                allow_patterns=list(FILES),
                endpoint=endpoint,
                etag_timeout=20,
                tqdm_class=None,
            )
        )
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError, errors.GatedRepoError) as error:
        raise ModelNotFound(
            f"there is no {place}, or it asks for a login.{before} Check the name, set HF_TOKEN for a "
            "private model, or give the path of a copy."
        ) from error
    except (errors.LocalEntryNotFoundError, errors.HfHubHTTPError, errors.HFValidationError) as error:
        raise ModelError(_unreachable(place, error, before)) from error
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(_unreachable(place, error, before)) from error
    _check(root)
    return root


def _unreachable(place: str, error: Exception, before: str) -> str:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return (
        f"could not fetch {place}: {reason}.{before} Try again (what has come is kept), set HF_HUB_OFFLINE=1 "
        "to leave the network alone, or give the path of a copy."
    )


def _check(root: Path) -> None:
    """Compare each large file with the SHA-256 that it is named by in the cache."""
    for path in sorted(root.rglob("*.safetensors")):
        blob = path.resolve()
        if _SHA256.fullmatch(blob.name):
            with blob.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
            if found != blob.name:
                blob.unlink()
                path.unlink(missing_ok=True)
                raise ModelError(
                    f"{path.name} came damaged from the hub (SHA-256 {found[:12]}…, expected "
                    f"{blob.name[:12]}…) and was removed; try again"
                )
