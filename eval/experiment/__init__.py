"""Which of these pipelines is better, on all of these collections? One file asks; one folder holds the answer.

- `read_experiment` reads the file: collections, pipelines, measures.
- `run_experiment` runs every cell that has not been run before, and returns an `ExperimentResult`.
"""
