"""What the scenarios need: a running worker, named by the environment.

GRAFT_TARGET is its HOST:PORT. GRAFT_MODEL is a backbone's directory under one of its model roots, or a directory of
such directories, each of which the scenarios then run on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import graft


@pytest.fixture(scope="session")
def client() -> Iterator[graft.Client]:
    with graft.Client(_environment("GRAFT_TARGET")) as client:
        yield client


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "backbone" in metafunc.fixturenames:
        paths = backbones(Path(_environment("GRAFT_MODEL")))
        metafunc.parametrize("backbone", [str(path) for path in paths], ids=[path.name for path in paths])


def backbones(path: Path) -> list[Path]:
    """The directory itself if it is a backbone, else all in it that are."""
    candidates = [path, *sorted(path.iterdir())]
    files = ("*.safetensors", "*.onnx", "onnx/*.onnx")
    found = [each for each in candidates if any(any(each.glob(pattern)) for pattern in files)]
    if path in found:
        return [path]
    if not found:
        raise pytest.UsageError(f"GRAFT_MODEL={path} is no backbone and has none")
    return found


def _environment(name: str) -> str:
    if name not in os.environ:
        raise pytest.UsageError(f"{name} is not set; see integration-tests/python/conftest.py")
    return os.environ[name]
