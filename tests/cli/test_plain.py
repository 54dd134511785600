"""What others wrote cannot command a terminal."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_cli.plain import REPLACEMENT, plain, plain_lines

HOSTILE = {
    "colour": "\x1b[31mred\x1b[0m",
    "clear screen": "\x1b[2J\x1b[H",
    "window title": "\x1b]0;owned\x07",
    "hyperlink": "\x1b]8;;http://evil\x1b\\here\x1b]8;;\x1b\\",
    "C1 control sequence": "\x9b31mred",
    "C1 operating system command": "\x9d0;owned\x9c",
    "backspaces": "safe\b\b\b\bevil",
    "carriage return": "safe\revil",
    "right-to-left override": "abc\N{RIGHT-TO-LEFT OVERRIDE}gpj.exe",
    "isolate": "a\N{RIGHT-TO-LEFT ISOLATE}b",
    "arabic letter mark": "a\N{ARABIC LETTER MARK}b",
    "tag characters": "a\U000e0041\U000e0042",
    "zero width space": "pay\N{ZERO WIDTH SPACE}pal",
    "line separator": "a\N{LINE SEPARATOR}b",
    "lone surrogate": "a\ud800b",
    "delete": "a\x7fb",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_is_harmless(text: str) -> None:
    shown = plain(text)
    assert shown != text
    assert all(character.isprintable() or character == REPLACEMENT for character in shown)


@pytest.mark.parametrize(
    "text",
    [
        "Blankets",
        "Dili, Timor-Leste",
        "المياه",
        "מים",
        "毛布",
        "प्रेम",
        "می‌خواهم",
        "👩\N{ZERO WIDTH JOINER}🌾",
        "m²",
        "“quoted”",
    ],
)
def test_words_of_any_language_stay_as_they_are(text: str) -> None:
    assert plain(text) == text


@given(st.text(alphabet=st.characters(codec=None)))
def test_nothing_that_moves_or_hides_gets_through(text: str) -> None:
    for character in plain(text):
        if character not in "\N{ZERO WIDTH NON-JOINER}\N{ZERO WIDTH JOINER}":
            assert unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@given(st.text())
def test_doing_it_twice_changes_nothing(text: str) -> None:
    assert plain(plain(text)) == plain(text)


def test_prose_keeps_its_lines_and_no_other_break() -> None:
    assert plain_lines("one\r\ntwo\nthr\x1bee\x0bfour\x85five") == [
        "one",
        "two",
        f"thr{REPLACEMENT}ee{REPLACEMENT}four{REPLACEMENT}five",
    ]
