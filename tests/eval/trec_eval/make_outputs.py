"""Make `outputs.json`: randomised runs and judgements, and what NIST's trec_eval says of them.

    python tests/eval/trec_eval/make_outputs.py FOLDER_OF_THE_SOURCES

The sources are those of version 9.0.8, as NIST publishes them; a C compiler and make build them in a folder of its own.
One thing is changed: figures are printed with ten digits behind the point instead of four.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CASES = 24
MEASURES = (
    "map ndcg bpref recip_rank Rprec infAP set_P set_recall set_F set_map num_q num_ret num_rel num_rel_ret "
    "P.1,5,10 recall.5,20 ndcg_cut.1,5,10 map_cut.10 success.1,5 iprec_at_recall.0.10,0.50"
).split()
NEAR = ("1.0", "1.00000001", "1.00000002", "0.99999999")  # one and the same as a C float


def case(seed: int) -> tuple[str, str]:
    """Return judgements and a run as TREC files: with ties, near ties, and queries that either of them lacks."""
    choose = random.Random(seed)
    documents = [f"d{number}" for number in range(18)] + ["D7", "d-7", "dé", "文1", "文2", "~"]
    queries = [f"q{number}" for number in range(1, 7)]
    qrels, run = [], []
    for query in queries:
        judged = choose.sample(documents, choose.randint(1, 14))
        if choose.random() < 0.9:
            grades = choose.choice([(0, 1), (0, 1, 2, 3), (-1, 0, 1, 2), (0,)])
            qrels += [f"{query} 0 {doc} {choose.choice(grades)}" for doc in judged]
        if choose.random() < 0.8:
            found = choose.sample(documents, choose.randint(1, 20))
            style = choose.randrange(4)
            for rank, doc in enumerate(found, 1):
                score = (
                    str(choose.randint(0, 3)),
                    choose.choice(NEAR),
                    f"{choose.gauss(0, 5):.3f}",
                    choose.choice(["-0.0", "0", "1e-3", "-2.5e10", "3.5e20", "1e-42"]),
                )[style]
                run.append(f"{query} Q0 {doc} {rank} {score} random-{seed}")
    choose.shuffle(run)
    return "\n".join(qrels) + "\n", "\n".join(run) + "\n"


def built(sources: Path, folder: Path) -> Path:
    """Return trec_eval, compiled to print more digits."""
    shutil.copytree(sources, folder, dirs_exist_ok=True)
    for path in folder.glob("*.c"):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        path.write_text(text.replace("%6.4f", "%.10f"), encoding="utf-8", errors="surrogateescape")
    subprocess.run(["make", "-B"], cwd=folder, check=True, capture_output=True)
    return folder / "trec_eval"


def outputs(program: Path, qrels: str, run: str, folder: Path) -> dict[str, dict[str, float]]:
    """Return measure to query (and `all`) to value; -c counts the queries that the run misses."""
    (folder / "qrels").write_text(qrels, encoding="utf-8")
    (folder / "run").write_text(run, encoding="utf-8")
    asked = [part for name in MEASURES for part in ("-m", name)]
    done = subprocess.run(
        [program, "-c", "-q", *asked, folder / "qrels", folder / "run"],
        check=True,
        capture_output=True,
        text=True,
    )
    values: dict[str, dict[str, float]] = {}
    for line in done.stdout.splitlines():
        name, query, value = line.split()
        values.setdefault(name, {})[query] = float(value)
    return values


def main() -> None:
    """Write the file beside this script."""
    with tempfile.TemporaryDirectory() as scratch:
        program = built(Path(sys.argv[1]), Path(scratch) / "trec_eval")
        cases = []
        for seed in range(CASES):
            qrels, run = case(seed)
            cases.append({"qrels": qrels, "run": run, "values": outputs(program, qrels, run, Path(scratch))})
    target = Path(__file__).with_name("outputs.json")
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in cases)
    target.write_text(f'{{"trec_eval": "9.0.8", "cases": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
