"""What is said before a need is saved as an emergency: we are not an emergency service, and whom to call."""

from __future__ import annotations

from dataclasses import dataclass

from aidmesh_node.domain.refused import Refused, shortened

NUMBER_DEFAULT = "112"
"""Reaches help from a mobile phone in most countries; a group sets its own in `emergency.number`."""

NUMBER_CHARACTERS_MAX = 40


@dataclass(frozen=True, slots=True)
class EmergencyAdvice:
    """`number` is whom to call where the group lives, such as "112" or "192 or 193"."""

    number: str = NUMBER_DEFAULT

    def __post_init__(self) -> None:
        if not self.number.strip() or len(self.number) > NUMBER_CHARACTERS_MAX or not self.number.isprintable():
            raise Refused(
                "bad_emergency_number",
                f"“{shortened(self.number)}” is no emergency number.",
                f"Write what people dial, at most {NUMBER_CHARACTERS_MAX} characters.",
            )

    @property
    def text(self) -> str:
        """To be shown, or read aloud, before it is saved."""
        return (
            f"If a life is in danger, call {self.number} now. We are not an emergency service: nobody may see this "
            "for hours, and nobody has to come."
        )

    def check_acknowledged(self, acknowledged: bool) -> None:
        """Refuse until somebody has read this advice, or read it out."""
        if not acknowledged:
            raise Refused(
                "emergency_advice",
                self.text,
                "When that is done, save it again and say so: emergency_advice_acknowledged, --advice-acknowledged.",
            )
