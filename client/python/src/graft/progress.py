"""Long calls as progress bars."""

from __future__ import annotations

from typing import Any

from tqdm.auto import tqdm

from graft.events import Evaluation, Event, Extraction, Log, Result, Started, Training
from graft.quantizing import QuantizedTensor, QuantizeEvent, QuantizeResult, ReceivedFile


class TrainingBar:
    """One bar for the features, then one for the steps, with the newest loss and metrics beside it."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] = tqdm(desc="features", unit="item")
        self._numbers: dict[str, str] = {}

    def show(self, event: Event) -> None:
        """Shows what the event says."""
        if isinstance(event, Extraction):
            self._bar.total = event.items_received
            self._move(event.items_done)
        elif isinstance(event, Started):
            self._bar.close()
            self._bar = tqdm(desc="training", unit="step", total=event.total_steps, initial=event.first_step)
        elif isinstance(event, (Training, Log)):
            self._show_numbers({"loss": event.loss})
            self._move(event.step)
        elif isinstance(event, Evaluation):
            self._show_numbers(event.metrics)
            self._move(event.step)
        elif isinstance(event, Result):
            self._move(event.step)
            self._bar.close()

    def _move(self, position: int) -> None:
        self._bar.update(position - self._bar.n)

    def _show_numbers(self, numbers: Any) -> None:
        self._numbers.update({name: f"{value:.4f}" for name, value in numbers.items()})
        self._bar.set_postfix(self._numbers)


class QuantizingBar:
    """One bar for the tensors, then one for each file that comes back."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] = tqdm(desc="quantizing", unit="tensor")

    def show(self, event: QuantizeEvent) -> None:
        """Shows what the event says."""
        if isinstance(event, QuantizedTensor):
            self._bar.total = event.total
            self._bar.set_postfix_str(event.name)
            self._bar.update()
        elif isinstance(event, ReceivedFile):
            if self._bar.desc != event.name:
                self._bar.close()
                self._bar = tqdm(desc=event.name, unit="B", unit_scale=True, total=event.total_bytes)
            self._bar.update(event.bytes - self._bar.n)
        elif isinstance(event, QuantizeResult):
            self._bar.close()
