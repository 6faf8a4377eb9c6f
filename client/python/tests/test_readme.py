"""Runs the example in the repository's README."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fake_worker import FakeWorker

import graft

README = Path(__file__).resolve().parents[3] / "README.md"


def test_the_readmes_example_runs(
    client: graft.Client,
    worker: FakeWorker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (example,) = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    monkeypatch.setattr(graft, "Client", lambda target: client)
    monkeypatch.chdir(tmp_path)
    exec(compile(example, str(README), "exec"), {})
    assert worker.spec.features.backbone.path == "all-MiniLM-L6-v2"
    assert graft.load_projector("out").labels == ("calm", "storm")
    assert capsys.readouterr().out.strip() in ("['calm']", "['storm']")
