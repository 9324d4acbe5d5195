"""What is thrown when nothing can be predicted."""

from __future__ import annotations


class PredictionError(ValueError):
    """An input from which nothing can be predicted: which file, which part of it, and why."""

    def __init__(self, file: str, field: str, reason: str) -> None:
        super().__init__(f"{file}: {field}: {reason}")
