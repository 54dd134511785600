"""What every frame of a bundle is: a kind, a name, and an array form that is read strictly (SPEC §8.2)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Self

from aidmesh_protocol.canonical import Encodable


class FrameForm(ABC):
    """The base of all frames; each is a frozen dataclass of its fields."""

    __slots__ = ()

    KIND: ClassVar[int]
    NAME: ClassVar[str]

    @abstractmethod
    def values(self) -> list[Encodable]:
        """What follows the kind in the frame's array."""

    @classmethod
    @abstractmethod
    def read(cls, values: list[Any]) -> Self:
        """A frame from what follows the kind; ProtocolError("malformed") for anything but `values()`."""
