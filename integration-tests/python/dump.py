"""Writes what Python got from a worker as JSON, for comparison with what another client got.

    python dump.py --target HOST:PORT --backbone PATH --items items.jsonl --output out.json
                   [--options '{"pooling": "mean"}'] [--arguments '{"learning_rate": 0.01}']

An item is {"text": ... | "input_ids": ...}, with "label" if `--arguments` asks for training. The output holds
`features` (in the items' order) and, after training, `logs` (a row a log entry), `projector_sha256` and `labels`.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import graft


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--target", required=True)
    parser.add_argument("--backbone", required=True)
    parser.add_argument("--items", required=True, type=Path)
    parser.add_argument("--output", required=True, type=Path)
    parser.add_argument("--options", type=json.loads, default={})
    parser.add_argument("--arguments", type=json.loads)
    given = parser.parse_args()
    items = [json.loads(line) for line in given.items.read_text("utf-8").splitlines()]
    options = {"backbone": given.backbone, **given.options}
    with graft.Client(given.target) as client:
        output: dict[str, Any] = {"features": client.extract(items, **options).tolist()}
        if given.arguments is not None:
            output.update(_train(client, items, {**options, **given.arguments}))
    given.output.write_text(json.dumps(output), "utf-8")


def _train(client: graft.Client, items: list[dict[str, Any]], options: dict[str, Any]) -> dict[str, Any]:
    with client.train(items, **options) as run:
        events = list(run)
    result = events[-1]
    assert isinstance(result, graft.Result)
    return {
        "logs": [asdict(event) for event in events if isinstance(event, graft.Log)],
        "projector_sha256": result.projector_sha256,
        "labels": result.module.labels,
    }


if __name__ == "__main__":
    main()
