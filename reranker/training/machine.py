"""What a run computes on: the device, the precision, and how many processors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from reranker.errors import InvalidTrainingSettings
from reranker.training.steps import StepSettings


def machine(settings: StepSettings) -> tuple[str, str]:
    """Return the device and what is computed in: `cpu` or `cuda`; `fp32`, `bf16` or `fp16`.

    Raises:
        InvalidTrainingSettings: the device is not there, or fp16 is asked for on a CPU.
    """
    gpu = torch.cuda.is_available()
    if settings.device == "cuda" and not gpu:
        raise InvalidTrainingSettings("device must be cpu or auto here: found cuda, and torch finds no GPU")
    device = "cuda" if gpu and settings.device != "cpu" else "cpu"
    if settings.precision == "fp16" and device == "cpu":
        raise InvalidTrainingSettings("precision must be fp32, bf16 or auto on a CPU; found fp16")
    if settings.precision != "auto":
        return device, settings.precision
    return device, "fp32" if device == "cpu" else "bf16" if torch.cuda.is_bf16_supported() else "fp16"


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let torch use so many processors, 0 for as many as it did."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)
