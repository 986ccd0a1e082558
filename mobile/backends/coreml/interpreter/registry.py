"""How an operator reads its arguments, and where operators register."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


class UnsupportedError(Exception):
    """An operator is known, but not with these arguments; says which."""


class Given:
    """Arguments of one operation: tensors and strings by parameter."""

    def __init__(self, values: Mapping[str, Sequence[Any]]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self.optional(name) is not None

    def optional(self, name: str) -> Any:
        """A tensor or string, None where it is not given."""
        held = self._values.get(name)
        return held[0] if held else None

    def tensor(self, name: str) -> Tensor:
        """A tensor that must be there."""
        if name not in self:
            raise UnsupportedError(f"no {name}")
        found: Tensor = self.optional(name)
        return found

    def tensors(self, name: str) -> list[Tensor]:
        """All tensors of a parameter that takes several."""
        return list(self._values[name])

    def text(self, name: str, otherwise: str) -> str:
        """A string."""
        return otherwise if name not in self else str(self.optional(name))

    def number(self, name: str, otherwise: float) -> float:
        """One floating-point number."""
        return otherwise if name not in self else float(self.tensor(name))

    def whole(self, name: str, otherwise: int) -> int:
        """One integer."""
        return otherwise if name not in self else int(self.tensor(name))

    def flag(self, name: str, otherwise: bool) -> bool:
        """One truth value."""
        return otherwise if name not in self else bool(self.tensor(name))

    def wholes(self, name: str, otherwise: Sequence[int]) -> list[int]:
        """A list of integers."""
        if name not in self:
            return list(otherwise)
        return [int(number) for number in self.tensor(name).reshape(-1).tolist()]

    def flags(self, name: str, count: int) -> list[bool]:
        """A list of truth values, all false where not given."""
        if name not in self:
            return [False] * count
        return [bool(number) for number in self.tensor(name).reshape(-1).tolist()]

    def sized(self, name: str) -> bool:
        """Whether a tensor of at least one axis is given."""
        return name in self and self.tensor(name).dim() > 0


Result = "Tensor | tuple[Tensor, ...]"
Function = Callable[[Given], Any]
_OPERATORS: dict[str, Function] = {}


def operator(*names: str) -> Callable[[Function], Function]:
    """Register a function that computes what the operators `names` do.

    It takes floating-point tensors as float32, whatever the program calls them, and returns a
    tensor or a tuple of them; the result is rounded to the program's type by whoever calls.
    """

    def add(function: Function) -> Function:
        for name in names:
            if name in _OPERATORS:
                raise ValueError(f"operator {name!r} is registered twice")
            _OPERATORS[name] = function
        return function

    return add


def lookup(name: str) -> Function | None:
    """The operator called `name`, or None."""
    return _OPERATORS.get(name)


def names() -> list[str]:
    """Every operator, sorted."""
    return sorted(_OPERATORS)
