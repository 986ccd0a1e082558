"""The C++ runner from Python: the same interface as the backends' own runners."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from fovea.native.build import library
from mobile.backend import Array, check_image, check_magic
from mobile.quiet import quiet
from pipeline.errors import UserError

_RANK = 4
_NOT_ONE_IMAGE = -1


class NativeRunner:
    """One loaded `.pte`. Any number of them run side by side, each in a thread of its own.

    `threads` of the runner loaded last holds for every runner of the process. Raises `UserError`
    for a damaged file, and `fovea.native.build.UnavailableError` where there is no runner.
    """

    def __init__(self, path: Path, threads: int) -> None:
        self.path = path
        self.threads = threads
        self._calls = _calls()
        check_magic(path, b"ET12", "an ExecuTorch program")
        sides = (ctypes.c_int32 * (2 * _RANK))()
        error = ctypes.c_int()
        with quiet():  # the thread pool tells what it reads
            name = str(path).encode()
            self._handle = self._calls.fovea_open(name, threads, sides, ctypes.byref(error))
        if not self._handle:
            raise UserError(f"{path}: {_problem(error.value)}; export it again")
        self.shape: tuple[int, ...] = tuple(sides[:_RANK])
        self.output_shape: tuple[int, ...] = tuple(sides[_RANK:])

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._calls.fovea_close(self._handle)
            self._handle = None

    def prepare(self, image: Array) -> Array:
        """`image` (1, 3, H, W) as the contiguous array the program reads."""
        check_image(image, self.shape, self.path)
        return np.ascontiguousarray(image)

    def invoke(self, prepared: Any) -> Array:
        """Run once, without Python's lock."""
        output = np.empty(self.output_shape, np.float32)
        error = self._calls.fovea_run(self._handle, _address(prepared), _address(output))
        if error:
            raise UserError(f"{self.path}: {_problem(error)} while it ran; export it again")
        return output

    def run(self, image: Array) -> Array:
        """`image` (1, 3, H, W) -> (1, 1, H, W)."""
        return self.invoke(self.prepare(image))


def _calls() -> ctypes.CDLL:
    calls = ctypes.CDLL(str(library()))
    pointer, whole = ctypes.c_void_p, ctypes.c_int
    calls.fovea_open.restype = pointer
    calls.fovea_open.argtypes = [ctypes.c_char_p, whole, pointer, pointer]
    calls.fovea_run.restype = whole
    calls.fovea_run.argtypes = [pointer, pointer, pointer]
    calls.fovea_close.restype = None
    calls.fovea_close.argtypes = [pointer]
    return calls


def _address(array: Array) -> ctypes.c_void_p:
    return ctypes.c_void_p(array.ctypes.data)


def _problem(error: int) -> str:
    if error == _NOT_ONE_IMAGE:
        return "does not take one float image and give one float map"
    return f"ExecuTorch refuses it (error 0x{error:02x})"
