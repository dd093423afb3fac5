"""Write the interpreter's own documentation as a folder of Markdown files.

    python -P -m quire.demo.corpus FOLDER

Two kinds of document: the chapters of the language reference that `pydoc` carries (`language/with.md`), and for
every public module of the standard library its documentation as docstrings give it, with a heading for every
class, method and function (`library/json.decoder.md`). The text is Python's own, under Python's licence.

Above each stands what can be filtered by: `section` (language, library), `kind` (chapter, package, module), the
`package` of a module, and, where it is known, the release of Python that last brought something new and its day
(`dates`).

Modules are imported to be documented, so this runs as a process of its own, without a display or a browser, and
leaves out those whose import does something. A module that cannot be imported here is left out and counted.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import os
import pkgutil
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType

from quire.demo.dates import RELEASES, newest_release

# Importing these opens a browser, prints, needs a display or changes the terminal; or they are tests and demos,
# or one module under another name (posix is os).
LEFT_OUT = frozenset(
    (
        "antigravity this idlelib tkinter turtle turtledemo test lib2to3 pydoc_data ensurepip distutils readline "
        "rlcompleter curses msilib nis venv site posix posixpath ntpath"
    ).split()
)
# Packages whose submodules are one of a kind a hundred times over, and say nothing each.
ONLY_ITSELF = frozenset({"encodings"})

_UNDERLINE = re.compile(r"^\s*([=\-~^*#+\"'`])\1{2,}\s*$")
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_LEVELS = {"*": 1, "=": 2, "-": 3, "~": 4, "^": 4, '"': 5}
_CODE = re.compile(
    r"::=|>>>|^\s*(def|class|import|from|for|if|while|try|with|print|async|@)\b|\w\(|^\s*\w+ = "
)


def topic_as_markdown(text: str) -> str:
    """Return a topic of `pydoc_data.topics` with its underlined titles as Markdown headings, its examples as code."""
    lines = text.strip("\n").splitlines()
    out: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        under = lines[at + 1] if at + 1 < len(lines) else ""
        if line.strip() and not line.startswith(" ") and _UNDERLINE.match(under):
            out.append("#" * _LEVELS.get(under.strip()[0], 4) + " " + line.strip())
            at += 2
        elif line.startswith("   ") and (not out or not out[-1].strip()):
            end = _end_of_block(lines, at)
            block = lines[at:end]
            out += ["```", *block, "```"] if _CODE.search("\n".join(block[:3])) else block
            at = end
        else:
            out.append(line)
            at += 1
    return "\n".join(out) + "\n"


def _end_of_block(lines: list[str], start: int) -> int:
    """Return where the indented block at `start` ends: before the next blank line that no indented line follows."""
    at = start
    while at < len(lines) and (lines[at].startswith("   ") or not lines[at].strip()):
        at += 1
    while at > start and not lines[at - 1].strip():
        at -= 1
    return at


def module_as_markdown(module: ModuleType) -> str:
    """Return a module's documentation: its docstring, then every public function and class that has one."""
    name = module.__name__
    doc = _docstring(module)
    summary = doc.partition("\n\n")[0].strip().rstrip(".")
    summary = re.sub(rf"^{re.escape(name)}\s*(--|-|:|–|—)\s*", "", summary, flags=re.IGNORECASE)
    parts = [
        f"# {name}: {summary}" if summary and len(summary) <= 90 and "\n" not in summary else f"# {name}",
        doc,
    ]
    functions, classes = _public_members(module)
    if functions:
        parts.append("## Functions")
        for function_name, function in functions:
            parts += [f"### {name}.{function_name}{_signature(function)}", _docstring(function)]
    if classes:
        parts.append("## Classes")
        for class_name, cls in classes:
            parts += [f"### class {name}.{class_name}{_signature(cls)}", _docstring(cls)]
            for method_name, method in _public_methods(cls):
                parts += [f"#### {class_name}.{method_name}{_signature(method)}", _docstring(method)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _public_members(module: ModuleType) -> tuple[list[tuple[str, object]], list[tuple[str, type]]]:
    exported = getattr(module, "__all__", None)
    names = sorted(set(exported) if exported else {name for name in vars(module) if not name.startswith("_")})
    functions: list[tuple[str, object]] = []
    classes: list[tuple[str, type]] = []
    for name in names:
        value = getattr(module, name, None)
        home = getattr(value, "__module__", None) or module.__name__
        # Without __all__, what was merely imported belongs to the module that it came from; bisect's came from _bisect.
        if not exported and home.lstrip("_") != module.__name__:
            continue
        if inspect.isclass(value) and _docstring(value):
            classes.append((name, value))
        elif inspect.isroutine(value) and _docstring(value):
            functions.append((name, value))
    return functions, classes


def _public_methods(cls: type) -> Iterator[tuple[str, object]]:
    for name, value in sorted(vars(cls).items()):
        if not name.startswith("_") and (
            inspect.isroutine(value) or isinstance(value, property | classmethod)
        ):
            member = getattr(cls, name, None)
            if _docstring(member):
                yield name, member


def _docstring(value: object) -> str:
    """Return an object's own docstring, cleaned; empty when it has none of its own."""
    doc = getattr(value, "__doc__", None)
    if not isinstance(doc, str) or (not isinstance(value, type) and doc == type(value).__doc__):
        return ""
    lines = [line.rstrip() for line in inspect.cleandoc(doc).splitlines()]
    # An underline would make a heading of the wrong level, and a leading # one that is none.
    kept = [re.sub(r"^#", r"\\#", line) for line in lines if not _UNDERLINE.match(line)]
    return _ADDRESS.sub("", "\n".join(kept)).strip()


def _signature(value: object) -> str:
    try:
        signature = _ADDRESS.sub("", str(inspect.signature(value)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    return signature if len(signature) <= 120 else "(...)"


def module_names() -> list[str]:
    """Return the public modules of the standard library, submodules included, in alphabetical order."""
    found: set[str] = set()
    for name in sys.stdlib_module_names:
        if name.startswith("_") or name in LEFT_OUT:
            continue
        found.add(name)
        if name not in ONLY_ITSELF:
            found.update(_submodules(name))
    return sorted(found)


def _submodules(package: str) -> Iterator[str]:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        return
    for folder in (spec.submodule_search_locations if spec else None) or ():
        for info in pkgutil.iter_modules([folder], prefix=f"{package}."):
            last = info.name.rpartition(".")[2]
            if not last.startswith("_") and last not in ("test", "tests"):
                yield info.name
                if info.ispkg:
                    yield from _submodules(info.name)


def write_corpus(folder: Path) -> tuple[int, int]:
    """Write the corpus into `folder`, one file a document; return how many were written and left out."""
    topics = importlib.import_module("pydoc_data.topics").topics
    written = left_out = 0
    for name, text in sorted(topics.items()):
        known = front_matter({"section": "language", "kind": "chapter"}, newest_release(text))
        _write(folder / "language" / f"{name}.md", known + topic_as_markdown(text))
        written += 1
    for name in module_names():
        try:
            with _quiet():
                module = importlib.import_module(name)
                text = module_as_markdown(module)
        except (Exception, SystemExit):  # whatever a module does when it is not meant for this machine
            left_out += 1
            continue
        if len(text.split()) < 40:
            left_out += 1
            continue
        fields = {
            "section": "library",
            "kind": "package" if hasattr(module, "__path__") else "module",
            "package": name.partition(".")[0],
        }
        _write(folder / "library" / f"{name}.md", front_matter(fields, newest_release(text, name)) + text)
        written += 1
    return written, left_out


def front_matter(fields: Mapping[str, str], release: tuple[int, int] | None) -> str:
    """Return what is known of a document as the YAML that stands above its text."""
    lines = [f'{name}: "{value}"' for name, value in fields.items()]
    if release is not None:
        lines += [f'python: "{release[0]}.{release[1]}"', f"changed: {RELEASES[release].isoformat()}"]
    return "\n".join(["---", *lines, "---", ""])


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    with (
        warnings.catch_warnings(),
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        warnings.simplefilter("ignore")
        yield


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", errors="replace")


def main() -> None:
    """Write the corpus into the folder named, and print what there is as one line of JSON."""
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        os.environ.pop(variable, None)
    written, left_out = write_corpus(Path(sys.argv[1]))
    print(json.dumps({"documents": written, "left_out": left_out}))


if __name__ == "__main__":
    main()
