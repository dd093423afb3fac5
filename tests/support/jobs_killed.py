"""The process that tests kill: it takes in jobs, does them, and says of each on standard output when it is taken in.

`python -m jobs_killed STATE INDEX NAME COUNT`: COUNT jobs of chance, whose documents are called after NAME.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

from job_making import CALLER, given, upload

from engine.service.jobs import Jobs
from engine.service.settings import ServiceSettings


def main() -> None:
    """Take in jobs until killed."""
    state, place, name, count = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    chance = random.Random(name)
    jobs = Jobs.open(state, place, ServiceSettings(parse_seconds=30), indexing="hashing_indexing")
    jobs.start()
    for number in range(count):
        doc_id = f"{name}-{number}"
        kind = chance.choice(("documents", "files", "replace", "delete"))
        if kind == "delete":
            doc_id = f"{name}-{chance.randrange(number + 1)}"
        _tell(f"try {kind} {doc_id}")
        match kind:
            case "documents":
                jobs.add_documents(CALLER, [given(doc_id, f"documents {doc_id}")])
            case "files":
                upload(jobs, (doc_id, f"files {doc_id}".encode()), (f"{doc_id}.pdf", b"no PDF"))
            case "replace":
                jobs.add_documents(
                    CALLER, [given("shared", f"shared {doc_id}"), given(doc_id, f"replace {doc_id}")]
                )
            case _:
                jobs.delete(CALLER, [doc_id])
        _tell("taken")
    time.sleep(600)


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
