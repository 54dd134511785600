"""Exact quantities: a decimal number and a unit code. Never a float, never a guess about what was meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from aidmesh_node.domain.refused import Refused, shortened
from aidmesh_node.domain.units import UNITS, WHOLE_UNITS, unit_code

ZERO = Decimal(0)

AMOUNT_MAX = Decimal(10**9)
"""More than this of anything is a typing error, and sums stay exact far below decimal's 28 digits."""

_FINEST = Decimal("0.001")
"""Grams of a kilogram and millilitres of a litre; finer is a typing error."""

_WHOLE = Decimal(1)

_AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,9})?", re.ASCII)


def parse_amount(text: str, unit: str | None = None, *, zero: bool = False) -> Decimal:
    """The exact amount written in `text`: ASCII digits, optionally a point and decimals ("2.5").

    Refused when it is not such a number, negative, zero (unless `zero`), above 10^9, finer than three
    decimals, or a fraction of a `unit` that is only counted whole. The result has no trailing zeros.
    """
    trimmed = text.strip()
    if trimmed.isascii() and trimmed.isdigit() and len(trimmed) < 10 and (number := int(trimmed)):
        return Decimal(number)  # nearly always: a whole number in bounds
    if not _AMOUNT.fullmatch(trimmed):
        if re.fullmatch(r"-[0-9.,]+", trimmed):
            raise Refused(
                "bad_quantity", f"“{shortened(trimmed)}” is negative.", "Write how much, as a number above 0."
            )
        if re.fullmatch(r"[0-9]{11,}(\.[0-9]+)?", trimmed, re.ASCII):
            raise Refused(
                "bad_quantity",
                f"“{shortened(trimmed)}” is more than anybody can mean.",
                f"The most is {AMOUNT_MAX}, with at most 3 decimals.",
            )
        raise Refused(
            "bad_quantity",
            f"“{shortened(trimmed)}” is not an amount.",
            "Use digits, and a point for decimals, without thousands separators: 31800 or 2.5.",
        )
    return check_amount(Decimal(trimmed), unit, zero=zero)


def check_amount(amount: Decimal, unit: str | None = None, *, zero: bool = False) -> Decimal:
    """`amount` without trailing zeros, or Refused for the reasons of `parse_amount`."""
    if not amount.is_finite():
        raise Refused("bad_quantity", "That is not an amount.", "Use a number such as 31800 or 2.5.")
    if ZERO < amount <= AMOUNT_MAX and (whole := amount.quantize(_WHOLE)) == amount:
        return whole  # nearly always
    shown = shortened(str(amount))
    if amount < 0:
        raise Refused("bad_quantity", f"“{shown}” is negative.", "Write how much, as a number above 0.")
    if amount > AMOUNT_MAX:
        most = amount_text(AMOUNT_MAX)
        raise Refused("bad_quantity", f"“{shown}” is more than anybody can mean.", f"The most is {most}.")
    if amount == 0:
        if zero:
            return ZERO
        raise Refused("bad_quantity", "The amount is zero.", "Write how much, as a number above 0.")
    exact = amount.quantize(_FINEST)
    if exact != amount:
        raise Refused("bad_quantity", f"“{shown}” is finer than we count.", "Use at most 3 decimals.")
    if unit in WHOLE_UNITS:
        raise Refused("bad_quantity", f"{shown} {unit} is not a whole number.", f"Count {unit} in whole numbers.")
    return exact.normalize()


def amount_text(amount: Decimal) -> str:
    """Decimal string without exponent and trailing zeros: "31800", "2.5", "0"."""
    text = format(amount, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("", "-0") else text


def share_of(part: Decimal, whole: Decimal) -> str:
    """none, partial, full or over: how much of `whole` the part is."""
    if part == 0:
        return "none"
    if part < whole:
        return "partial"
    return "full" if part == whole else "over"


@dataclass(frozen=True, slots=True)
class Quantity:
    """How much is asked for, offered or promised: above zero. Refused when it cannot be meant."""

    amount: Decimal
    unit: str

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            choices = ", ".join(UNITS)
            raise Refused("unknown_unit", f"“{shortened(self.unit)}” is not a unit.", f"Use one of: {choices}.")
        object.__setattr__(self, "amount", check_amount(self.amount, self.unit))

    @classmethod
    def parse(cls, amount: str, unit: str) -> Quantity:
        """From what people write, aliases of units included ("2.5", "Kilos")."""
        return _quantity(amount, unit)

    def __str__(self) -> str:
        return f"{amount_text(self.amount)} {self.unit}"


@lru_cache(maxsize=1_024)
def _quantity(amount: str, unit: str) -> Quantity:
    # People write the same round amounts again and again.
    code = unit_code(unit)
    return Quantity(parse_amount(amount, code), code)
