"""Numbers as readers of the report see them: real minus signs, units, no false digits."""

from __future__ import annotations

import math

MINUS = "\N{MINUS SIGN}"
THIN = "\N{NARROW NO-BREAK SPACE}"
NOTHING = "\N{EM DASH}"
"""Stands where a value does not exist."""
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def fixed(value: float | None, digits: int = 3) -> str:
    """`value` with `digits` decimals, or a dash for None and NaN."""
    if value is None or not math.isfinite(value):
        return NOTHING
    rounded = round(value, digits) + 0.0  # adding 0 turns -0.0 into 0.0
    return f"{rounded:.{digits}f}".replace("-", MINUS)


def signed(value: float | None, digits: int = 4) -> str:
    """`value` with its sign always shown, none for what rounds to zero."""
    if value is None or not math.isfinite(value):
        return NOTHING
    return ("+" if round(value, digits) > 0 else "") + fixed(value, digits)


def percent(value: float | None, digits: int = 1) -> str:
    """A fraction as a signed percentage."""
    shown = signed(None if value is None else 100 * value, digits)
    return shown if shown == NOTHING else f"{shown}{THIN}%"


def mib(size: int | None) -> str:
    """Bytes in MiB, with two decimals below 10."""
    if size is None:
        return NOTHING
    value = size / 2**20
    return fixed(value, 2 if value < 10 else 1)


def ms(value: float | None) -> str:
    """Milliseconds with three significant digits."""
    if value is None:
        return NOTHING
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return fixed(value, digits)


def ratio(value: float | None) -> str:
    """A ratio with its multiplication sign."""
    return NOTHING if value is None else f"{fixed(value, 2)}×"


def scientific(value: float | None) -> str:
    """Two significant digits: plain from 0.001 on, otherwise as a power of ten."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if value == 0:
        return "0"
    exponent = math.floor(math.log10(abs(value)))
    if exponent >= -3:
        return fixed(value, max(0, 1 - exponent))
    mantissa, power = f"{value:.1e}".split("e")
    shown = mantissa.replace("-", MINUS)
    return f"{shown}{THIN}×{THIN}10{str(int(power)).translate(_SUPERSCRIPT)}"


def correlation(value: float | None) -> str:
    """A correlation near 1, not rounded up to 1 unless it is 1 to six digits."""
    if value is None:
        return NOTHING
    for digits in (4, 5, 6):
        shown = fixed(value, digits)
        if value < 1 and float(shown.replace(MINUS, "-")) < 1:
            return shown
    return "1"


def short(digest: str) -> str:
    """The first eight digits of a hash."""
    return digest[:8]


def count(number: int, noun: str) -> str:
    """`1 image`, `12 images`."""
    return f"{grouped(number)} {noun}{'' if number == 1 else 's'}"


def grouped(number: int) -> str:
    """A whole number with its thousands apart."""
    return f"{number:,}".replace(",", THIN)
