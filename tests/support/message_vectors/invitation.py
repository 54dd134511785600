"""invitation.json: the text that invites a group."""

from __future__ import annotations

from typing import Any

from tests.support.message_vectors.raw import ALICE_GID, KEY

SECRET = "aaaqeayeaudaocajbifqydiob4"
START = f"aidmesh:{ALICE_GID}#"
END = f",{SECRET},1795420800"
HOST = "https://aid.example.org"


def document() -> dict[str, Any]:
    eight = [f"http://10.0.0.{n}:8080" for n in range(8)]
    good = {
        f"{START}{HOST}{END}": [ALICE_GID, [HOST], KEY.hex(), 1795420800],
        f"{START}{';'.join(eight)}{END}": [ALICE_GID, eight, KEY.hex(), 1795420800],
        f"{START}http://[fe80::1]:8080/aid;http://{'a' * 56}.onion,{SECRET},1": [
            ALICE_GID, ["http://[fe80::1]:8080/aid", f"http://{'a' * 56}.onion"], KEY.hex(), 1,
        ],
    }  # fmt: skip
    bad = {
        "nothing": "",
        "another scheme": f"http:{ALICE_GID}#{HOST}{END}",
        "a space before it": f" {START}{HOST}{END}",
        "a line end behind it": f"{START}{HOST}{END}\n",
        "a group id in capitals": f"aidmesh:{'A' * 32}#{HOST}{END}",
        "no group id": f"aidmesh:#{HOST}{END}",
        "no address": f"{START}{END}",
        "an empty address": f"{START}{HOST};{END}",
        "an address twice": f"{START}{HOST};{HOST}{END}",
        "nine addresses": f"{START}{';'.join([*eight, HOST])}{END}",
        "an address that is none": f"{START}ftp://a{END}",
        "an address with a path that ends in a slash": f"{START}{HOST}/{END}",
        "no secret": f"{START}{HOST},1795420800",
        "a short secret": f"{START}{HOST},{SECRET[:25]},1795420800",
        "a secret in capitals": f"{START}{HOST},{SECRET.upper()},1795420800",
        "a secret with bits left over": f"{START}{HOST},{SECRET[:25]}5,1795420800",
        "a secret of no base32": f"{START}{HOST},{SECRET[:25]}1,1795420800",
        "no end": f"{START}{HOST},{SECRET}",
        "an end of zero": f"{START}{HOST},{SECRET},0",
        "an end with a zero before it": f"{START}{HOST},{SECRET},01",
        "an end past its bound": f"{START}{HOST},{SECRET},68719476737",
        "an end in other digits": f"{START}{HOST},{SECRET},\u0661",
        "a field too many": f"{START}{HOST}{END},1",
    }
    return {
        "about": "SPEC 14.1. Text -> group id, addresses, secret, end in seconds since 1970.",
        "rows": [
            *({"text": text, "verdict": "ok", "fields": pieces} for text, pieces in good.items()),
            *({"name": name, "text": text, "verdict": "malformed"} for name, text in bad.items()),
            {"name": "2,305 characters", "text": START + "h" * (2305 - len(START)), "verdict": "too_large"},
        ],
    }
