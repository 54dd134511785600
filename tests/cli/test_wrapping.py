"""Prose fits the screen whatever it is written in, and loses nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from aidmesh_cli.wrapping import WHOLE_CHARACTERS_MAX, wrapped


def test_it_breaks_between_words_and_hangs_below_its_lead() -> None:
    assert wrapped("one two three four", 12, "note  ") == ["note  one", "      two", "      three", "      four"]
    assert wrapped("one two three", 9, "", "  ") == ["one two", "  three"]
    assert wrapped("", 10, "x  ") == ["x"]


def test_a_path_is_whole_and_text_without_blanks_is_not() -> None:
    path = "/srv/" + "a" * 90
    assert wrapped(f"see {path} now", 20) == ["see", path, "now"]
    assert wrapped("毛布" * 6, 10) == ["毛布毛布毛", "布毛布毛布", "毛布"]
    assert max(map(len, wrapped("x" * (WHOLE_CHARACTERS_MAX + 1), 20))) == 20


@pytest.mark.parametrize("width", [20, 40, 80])
@given(st.text(alphabet="ab 毛é👩", max_size=200), st.sampled_from(["", "note  ", "毛  "]))
def test_nothing_is_lost_and_nothing_too_wide(width: int, text: str, lead: str) -> None:
    lines = wrapped(text, width, lead)
    assert lines[0].startswith(lead.rstrip())
    said = "".join("".join(lines).split())
    assert said == "".join((lead + text).split())
    for line in lines:
        longest = max(line[len(lead) :].split(), key=len, default="")
        assert cell_len(line) <= width or longest.isascii()
