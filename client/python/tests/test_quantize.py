from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_worker import PATH_ESCAPE, QUANTIZED, FakeWorker, quantized_file

import graft
from graft.v1 import features_pb2, quantize_pb2, tensor_pb2


def left(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_files_come_back_into_a_directory(client: graft.Client, worker: FakeWorker, tmp_path: Path) -> None:
    events = list(client.quantize("minilm", "nf4", output=tmp_path / "made"))

    assert worker.spec.source.path == "minilm"
    assert worker.spec.destination == ""
    assert left(tmp_path) == ["made"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "made").iterdir()} == QUANTIZED
    tensors = [event for event in events if isinstance(event, graft.QuantizedTensor)]
    assert tensors[1] == graft.QuantizedTensor("layer.1", 1, 2, 400, 100, 0.125, 0.5)
    files = [event for event in events if isinstance(event, graft.ReceivedFile)]
    size = len(QUANTIZED["model.safetensors"])
    assert [file.bytes for file in files[:3]] == [262144, 524288, size]
    assert files[3:] == [graft.ReceivedFile("config.json", 2, 2), graft.ReceivedFile("vocab.txt", 0, 0)]
    assert events[-1] == graft.QuantizeResult(800, 200, "f00d", 0.0625, tmp_path / "made", "")


def test_the_worker_keeps_what_has_a_destination(client: graft.Client, worker: FakeWorker) -> None:
    result = client.quantize("minilm", "int8", destination="made").result()

    assert worker.spec.destination == "made"
    assert result.destination == "/writable/made"
    assert result.output is None


def test_options_have_the_contracts_names(client: graft.Client, worker: FakeWorker) -> None:
    client.quantize(
        "minilm",
        "fp4",
        destination="made",
        block_size=128,
        double_quantization=True,
        data_type="bf16",
        recorded_compute_dtype="fp16",
        skip_modules=["lm_head", "layers.0"],
        max_shard_bytes=1 << 40,
    ).result()

    assert worker.spec == quantize_pb2.QuantizeRequest(
        source=features_pb2.Backbone(path="minilm"),
        scheme=quantize_pb2.QUANTIZATION_SCHEME_FP4,
        destination="made",
        block_size=128,
        double_quantization=True,
        data_type=tensor_pb2.DATA_TYPE_BF16,
        recorded_compute_dtype=features_pb2.COMPUTE_DTYPE_FP16,
        skip_modules=["lm_head", "layers.0"],
        max_shard_bytes=1 << 40,
    )


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({}, TypeError, "either output"),
        ({"output": "a", "destination": "b"}, TypeError, "either output"),
        ({"destination": "a", "blocksize": 64}, TypeError, "did you mean 'block_size'"),
        ({"destination": "a", "skip_modules": "lm_head"}, TypeError, "a list of names is expected, not 'lm_head'"),
        ({"destination": "a", "data_type": "int8"}, ValueError, "'int8' is none of f32, f16, bf16"),
        ({"output": "no/parent"}, FileNotFoundError, "its directory does not exist"),
        ({"output": "there"}, FileExistsError, "there exists already"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_is_sent(
    client: graft.Client,
    worker: FakeWorker,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: dict[str, Any],
    error: type[Exception],
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    with pytest.raises(error, match=message):
        client.quantize("minilm", "nf4", **arguments)
    with pytest.raises(ValueError, match="'nf5' is none of none, nf4, fp4, int8, q8_0, q4_0"):
        client.quantize("minilm", "nf5", destination="a")  # type: ignore[arg-type]
    assert worker.spec is None


def test_a_refusal_leaves_nothing(client: graft.Client, worker: FakeWorker, tmp_path: Path) -> None:
    worker.fails_with = PATH_ESCAPE
    with pytest.raises(graft.PermissionDenied, match="leads out of the model roots"):
        client.quantize("../secret", "nf4", output=tmp_path / "made").result()
    assert left(tmp_path) == []


def test_closing_in_the_middle_of_a_file_leaves_nothing(
    client: graft.Client, worker: FakeWorker, tmp_path: Path
) -> None:
    worker.hangs_in_file = True
    with client.quantize("minilm", "nf4", output=tmp_path / "made") as run:
        for event in run:
            if isinstance(event, graft.ReceivedFile):
                assert left(tmp_path) != []
                break
    assert left(tmp_path) == []
    assert worker.cancelled.wait(60)


def _result() -> quantize_pb2.QuantizeResponse:
    return quantize_pb2.QuantizeResponse(result=quantize_pb2.QuantizeResult())


@pytest.mark.parametrize(
    ("responses", "message"),
    [
        ([], "without a result"),
        ([_result()], "sent no files"),
        ([quantized_file("../x", 0, 1, b"1")], "is no file's name"),
        ([quantized_file("..", 0, 1, b"1")], "is no file's name"),
        ([quantized_file("", 0, 1, b"1")], "is no file's name"),
        ([quantized_file("x", 0, 1, b"1"), quantized_file("x", 0, 1, b"1")], "came twice"),
        ([quantized_file("x", 1, 2, b"1")], "byte 0 of 'x' was next"),
        ([quantized_file("x", 0, 2, b"1"), quantized_file("y", 1, 2, b"1")], "byte 1 of 'x' was next"),
        ([quantized_file("x", 0, 2, b"1"), quantized_file("x", 1, 3, b"1")], "byte 1 of 'x' was next"),
        ([quantized_file("x", 0, 2, b"123")], "More than the 2 bytes"),
        ([quantized_file("x", 0, 2, b"1"), _result()], "before all that it is about"),
        (
            [quantize_pb2.QuantizeResponse(tensor=quantize_pb2.QuantizedTensor(index=5, total=2))],
            "Tensor 5 came where number 2 was next",
        ),
    ],
)
def test_what_breaks_the_contract_leaves_nothing(
    client: graft.Client,
    worker: FakeWorker,
    tmp_path: Path,
    responses: list[quantize_pb2.QuantizeResponse],
    message: str,
) -> None:
    worker.quantize_responses = responses
    with pytest.raises(graft.DataLoss, match=message):
        client.quantize("minilm", "nf4", output=tmp_path / "made").result()
    assert left(tmp_path) == []


def test_files_that_nobody_asked_for_are_refused(client: graft.Client, worker: FakeWorker) -> None:
    worker.quantize_responses = [quantized_file("x", 0, 1, b"1")]
    with pytest.raises(graft.DataLoss, match="although the worker was to keep it"):
        client.quantize("minilm", "nf4", destination="made").result()


def test_a_directory_that_appears_meanwhile_stays(client: graft.Client, tmp_path: Path) -> None:
    run = client.quantize("minilm", "nf4", output=tmp_path / "made")
    (tmp_path / "made").mkdir()
    with pytest.raises(FileExistsError, match="made by somebody else"):
        run.result()
    assert left(tmp_path) == ["made"]
    assert left(tmp_path / "made") == []


def test_progress_is_shown(client: graft.Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    client.quantize("minilm", "nf4", output=tmp_path / "made", progress=True).result()
    shown = capsys.readouterr().err
    assert "quantizing: 100%" in shown
    assert "model.safetensors: 100%" in shown
