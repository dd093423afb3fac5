"""The `quire` command: what it has, how it fails, and nothing else. Each command is a module of `quire.commands`.

Exit status:

    0    done
    1    done, but not all of it: some documents failed, or `verify` found something wrong
    2    a command line, query or configuration that cannot be understood
    3    it could not be done: no such index, a full disk, a missing model
    70   a fault in Quire itself
    130  interrupted; what was committed is kept
    141  whoever read the output stopped reading
"""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click
from click.shell_completion import shell_complete

from quire.lazy_group import LazyGroup

if TYPE_CHECKING:
    from engine.configuration import Configuration
    from reranker.errors import RerankerError

COMPLETE = "_QUIRE_COMPLETE"  # how a shell asks for completions

DONE, PARTLY, USAGE, FAILED, FAULT, INTERRUPTED, UNREAD = 0, 1, 2, 3, 70, 130, 141

# Name -> (module of quire.commands, what `quire --help` says of it).
COMMANDS = {
    "demo": ("demo", "Index Python's own documentation and search it."),
    "index": ("index", "Index files and folders, or bring an index up to date."),
    "search": ("search", "Search an index; without a query, ask for queries."),
    "serve": ("serve", "Serve the search box and the HTTP API over an index."),
    "keys": ("keys", "Say who may ask a service: API keys, readers' tokens."),
    "why-not": ("why_not", "Say why a document is not among the results."),
    "stats": ("maintain", "Say what an index holds."),
    "verify": ("maintain", "Check an index's stores against each other."),
    "compact": ("maintain", "Give back the space of deleted documents."),
    "rebuild": ("rebuild", "Make an index anew from what it keeps, while it is searched."),
    "generations": ("generations", "List an index's generations; roll back, or drop old ones."),
    "delete": ("maintain", "Delete documents from an index."),
    "export": ("transfer", "Write an index's documents as JSON lines."),
    "import": ("transfer", "Index documents that `quire export` wrote."),
    "events": ("events", "Take in what readers did, or write it out."),
    "profile": ("profile", "Show, correct and erase what is kept of a reader."),
    "summarise": ("summarise", "Show the sentences that say most of a document, and what names it."),
    "recommend": ("recommend", "Show what a reader may want to read next, and why."),
    "learn": ("learn", "Learn which documents are read by the same readers."),
    "learn-weights": ("learn_weights", "Learn from clicks how much readers' interests count."),
    "train": ("train", "Train a reranker on judgements, clicks, preferences or documents."),
    "train-encoder": ("train_encoder", "Fit the encoder to what readers clicked."),
    "mine": ("mine", "Write the examples that `quire train` would learn from."),
    "eval": ("evaluate", "Measure, compare and tune: offline evaluation."),
    "config": ("config", "Show every setting and where it comes from."),
    "completion": ("completion", "Print the script that completes commands in your shell."),
}


@dataclass(slots=True)
class State:
    """What the options before the command's name say."""

    config_path: str | None = None
    options: dict[str, tuple[str, object]] = field(default_factory=dict)

    def configuration(self, **options: tuple[str, object]) -> Configuration:
        """Return the configuration under these options: `search__alpha=("--alpha", 0.3)`."""
        from engine.configuration import load

        named = {name.replace("__", "."): value for name, value in options.items()}
        configuration = load(self.config_path, options=named)
        if configuration.indexing.offline:
            os.environ["HF_HUB_OFFLINE"] = "1"  # also where an index loads the encoder that it was made with
        return configuration


class Commands(LazyGroup):
    """The whole command: one line for each error, and an exit status that says what kind it was."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command line and end the process with its exit status."""
        arguments = list(sys.argv[1:] if args is None else args)
        name, debug = prog_name or "quire", "--debug" in arguments
        readable(sys.stdout)
        readable(sys.stderr)
        # Not click's own main, which ends with 1 after a broken pipe as after anything else.
        asked = os.environ.get(COMPLETE)
        if asked:
            sys.exit(shell_complete(self, {}, name, COMPLETE, asked))
        try:
            with self.make_context(name, arguments) as context:
                status = self.invoke(context)
            sys.stdout.flush()
        except BrokenPipeError:
            _hush()
            status = UNREAD
        except BaseException as error:
            if debug and not isinstance(error, SystemExit | click.exceptions.Exit):
                raise
            status = _explain(error)
        sys.exit(status if isinstance(status, int) else DONE)


def readable(stream: TextIO) -> None:
    """Let a stream print any text: UTF-8 in a locale that has no encoding, and never an encoding error."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is None:
        return
    encoding = (stream.encoding or "ascii").lower().replace("_", "-")
    if encoding in ("ascii", "us-ascii", "ansi-x3.4-1968", "646"):
        reconfigure(encoding="utf-8", errors="backslashreplace")
    elif stream.errors not in ("replace", "backslashreplace"):
        reconfigure(errors="backslashreplace" if encoding in ("utf-8", "utf8") else "replace")


def _hush() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not trip over it at its end."""
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (OSError, ValueError):
            continue


def _explain(error: BaseException) -> int:
    """Print one line on what went wrong and return the exit status that stands for it."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else FAILED
    if isinstance(error, click.Abort | KeyboardInterrupt | EOFError):
        _complain("interrupted")
        return INTERRUPTED
    if isinstance(error, click.UsageError):
        error.show()
        return USAGE
    if isinstance(error, click.ClickException):
        _complain(error.format_message())
        return FAILED
    from indexer.errors import IndexingError, InvalidFilter, InvalidSettings

    if isinstance(error, IndexingError):
        _complain(str(error))
        return USAGE if isinstance(error, InvalidFilter | InvalidSettings) else FAILED
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        _complain(f"{place}{error.strerror or error}")
        return FAILED
    from engine.errors import SearchError
    from eval.errors import EvalError, MissingDependency
    from reranker.errors import RerankerError

    if isinstance(error, EvalError):
        suggestion = getattr(error, "suggestion", "")
        _complain(f"{error}{f' (did you mean {suggestion}?)' if suggestion else ''}")
        return FAILED if isinstance(error, MissingDependency) else USAGE
    if isinstance(error, RerankerError):
        _complain(str(error))
        return _status_of_training(error)
    if isinstance(error, SearchError):
        suggestion = getattr(error, "suggestion", "")
        _complain(f"{error}{f' (did you mean {suggestion}?)' if suggestion else ''}")
        return USAGE if error.status == 422 else FAILED
    _complain(
        f"a fault in Quire: {type(error).__name__}: {error}\n"
        "Run it again as `quire --debug ...` to see where, and report it."
    )
    return FAULT


def _status_of_training(error: RerankerError) -> int:
    """Return the exit status that an error of rerankers, or of training one, stands for."""
    from reranker import errors

    if isinstance(error, errors.TrainingInterrupted):
        return INTERRUPTED
    return FAILED if isinstance(error, errors.RerankerModelError | errors.MissingDependency) else USAGE


def _complain(message: str) -> None:
    click.echo(f"quire: {message}", err=True)


CONTEXT: MutableMapping[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(cls=Commands, table=COMMANDS, context_settings=CONTEXT)
@click.option("--config", "config_path", metavar="FILE", help="The configuration file; see `quire config`.")
@click.option("--debug", is_flag=True, help="Show where an error comes from.")
@click.option("-v", "--verbose", is_flag=True, help="Say on stderr what is being done.")
@click.version_option(package_name="quire-search", prog_name="quire", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context, config_path: str | None, debug: bool, verbose: bool) -> None:
    """Search over long documents: words and meaning together, with an account of every score.

    \b
      quire index FOLDER INDEX      index every document in a folder
      quire search INDEX QUERY      search it
    """  # noqa: D301  click reads the backspace
    ctx.obj = State(config_path)
    if verbose or debug:
        import logging

        logging.basicConfig(format="%(name)s: %(message)s", level=logging.DEBUG if debug else logging.INFO)


def main() -> NoReturn:
    """Run the `quire` command."""
    cli.main(prog_name="quire")
