"""Rows for keys (SPEC §3): signatures, and public keys that are admitted or not."""

from __future__ import annotations

from typing import Any

# RFC 8032 §7.1, tests 1 to 3.
SIGNED = {
    "RFC 8032 test 1": (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
        "d25bf5f0595bbe24655141438e7a100b",
    ),
    "RFC 8032 test 2": (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c"
        "387b2eaeb4302aeeb00d291612bb0c00",
    ),
    "RFC 8032 test 3": (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc659"
        "4a7c15e9716ed28dc027beceea1ec40a",
    ),
}
ORDER = 2**252 + 27742317777372353535851937790883648493
IDENTITY = "01" + "00" * 31
REFUSED_KEYS = {
    "the identity": IDENTITY,
    "the identity with a sign bit": "01" + "00" * 30 + "80",
    "order 2": "ec" + "ff" * 30 + "7f",
    "order 2 with a sign bit": "ec" + "ff" * 31,
    "order 4": "00" * 32,
    "order 4 with a sign bit": "00" * 31 + "80",
    "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8 with a sign bit": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "order 8, the other": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order 8, the other, with a sign bit": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "a sound key plus a point of order 8": "9158312a9a8d6e3b34c891d6d61444f8b8211c5117ebad15bdb0bd68b07e0245",
    "y is p": "ed" + "ff" * 30 + "7f",
    "y is p plus one": "ee" + "ff" * 30 + "7f",
    "all bits set": "ff" * 32,
    "not on the curve": "02" + "00" * 31,
    "31 bytes": "00" * 31,
    "33 bytes": "00" * 33,
    "no bytes": "",
}


def keys_file() -> dict[str, Any]:
    """The content of keys.json."""
    rows: list[dict[str, Any]] = []
    for name, (seed, key, message, signature) in SIGNED.items():
        rows.append(
            {
                "name": name,
                "kind": "sign",
                "seed": seed,
                "key": key,
                "message": message,
                "signature": signature,
                "verdict": "ok",
            }
        )
        rows.append({"name": f"{name}: the key", "kind": "admit", "key": key, "verdict": "ok"})
    for name, key in REFUSED_KEYS.items():
        rows.append({"name": name, "kind": "admit", "key": key, "verdict": "unknown_key"})
    _, key, message, signature = SIGNED["RFC 8032 test 2"]
    s = int.from_bytes(bytes.fromhex(signature[64:]), "little")
    bad = {
        "another message": (message + "00", signature),
        "first bit of R changed": (message, f"{int(signature[:2], 16) ^ 1:02x}" + signature[2:]),
        "S plus the group order": (message, signature[:64] + (s + ORDER).to_bytes(32, "little").hex()),
        "S is zero": (message, signature[:64] + "00" * 32),
        "63 bytes": (message, signature[:-2]),
        "65 bytes": (message, signature + "00"),
        "no signature": (message, ""),
    }
    for name, (other, changed) in bad.items():
        rows.append(verify_row(name, key, other, changed, "bad_signature"))
    # Under the identity this one signature verifies for any message: the key must never be admitted.
    rows.append(verify_row("one signature for all", IDENTITY, "616e79", IDENTITY + "00" * 32, "unknown_key"))
    return {
        "about": "SPEC §3. All values hex. kind sign: the seed gives this key and signature; verify; admit.",
        "rows": rows,
    }


def verify_row(name: str, key: str, message: str, signature: str, verdict: str) -> dict[str, Any]:
    """One row of kind verify."""
    return {
        "name": name,
        "kind": "verify",
        "key": key,
        "message": message,
        "signature": signature,
        "verdict": verdict,
    }
