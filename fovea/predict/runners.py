"""Loads what predicts, by the quickest way there is on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mobile.backend import Array, Runner, check_image
from pipeline.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor, nn


def exported(path: Path, threads: int) -> Runner:
    """A runner of an exported file; `UserError` when it is damaged or cannot run here.

    Its hash is not compared again: whoever chose the file has done so.
    """
    from mobile.export import open_runner

    if path.suffix != ".pte":
        return open_runner(path, threads, verify=False)
    from fovea.native.build import UnavailableError
    from fovea.native.runner import NativeRunner

    try:
        return NativeRunner(path, threads)
    except UnavailableError:
        return open_runner(path, threads, verify=False)


def input_size(runner: Runner) -> tuple[int, int]:
    """Height and width that a loaded file takes, from the file itself."""
    shape = tuple(getattr(runner, "shape", ()))
    if len(shape) != 4 or shape[:2] != (1, 3):
        raise UserError(f"{runner.path} takes {shape or 'another input'}, not one RGB image")
    return int(shape[2]), int(shape[3])


def checkpoint_header(path: Path) -> dict[str, Any]:
    """What a checkpoint says of itself; `UserError` when it is none of ours."""
    from pipeline import checkpoint

    return checkpoint.read(path)[1]


def trained(path: Path, threads: int) -> Runner:
    """A checkpoint's student or teacher in PyTorch."""
    import torch

    from pipeline import checkpoint

    kind = checkpoint_header(path)["kind"]
    model, header = checkpoint.load_model(path, kind)
    torch.set_num_threads(threads)
    shape = (1, 3, header["height"], header["width"])
    return _Trained(path, threads, model.requires_grad_(False), shape)


class _Trained:
    """A trained model in PyTorch, run like an exported file."""

    def __init__(self, path: Path, threads: int, model: nn.Module, shape: tuple[int, ...]) -> None:
        self.path = path
        self.threads = threads
        self.shape = shape
        self._model = model

    def prepare(self, image: Array) -> Tensor:
        """`image` (1, 3, H, W) as a tensor."""
        import torch

        check_image(image, self.shape, self.path)
        return torch.from_numpy(image)

    def invoke(self, prepared: Tensor) -> Array:
        """Run once."""
        import torch

        with torch.inference_mode():
            result: Array = self._model(prepared).float().numpy()
        return result

    def run(self, image: Array) -> Array:
        """`image` (1, 3, H, W) -> (1, 1, H, W)."""
        return self.invoke(self.prepare(image))
