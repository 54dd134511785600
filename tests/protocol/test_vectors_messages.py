"""protocol/vectors/*.json for messages, row by row: bytes in, verdict out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import pytest

from aidmesh_protocol import (
    bundle,
    canonical,
    invitation,
    pairing_messages,
    request_signing,
    statements,
    words,
)
from aidmesh_protocol.entry import Entry, check_part
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.identity import group_id, incept, origin_hash, parse_origin, read_inception
from aidmesh_protocol.keys import VerifyKey
from aidmesh_protocol.statements import Incomplete, Statement, Unknown
from aidmesh_protocol.terms import Terms, circle_id, verify_terms_signature
from tests.support.make_message_vectors import VECTORS, render
from tests.support.message_vectors import FILES
from tests.support.message_vectors.raw import show


def rows(file: str, section: str) -> pytest.MarkDecorator:
    found = json.loads((VECTORS / f"{file}.json").read_text())[section]
    return pytest.mark.parametrize("row", found, ids=[row.get("name") or row["text"] or "''" for row in found])


def verdict(read: Callable[[], Any]) -> tuple[str, Any]:
    try:
        return "ok", read()
    except ProtocolError as error:
        return error.code, None


@pytest.mark.parametrize("file", FILES)
def test_the_committed_vectors_are_the_generated_ones(file: str) -> None:
    assert (VECTORS / f"{file}.json").read_text() == render(FILES[file]())


@rows("entry", "entries")
def test_entry(row: dict[str, Any]) -> None:
    """SPEC §5.1a."""
    data = bytes.fromhex(row["bytes"])
    code, entry = verdict(lambda: Entry.decode(data))
    assert code == row["verdict"]
    if code == "ok":
        assert entry.encode() == data
        assert show(canonical.decode(data)) == row["fields"]


@rows("entry", "parts")
def test_part(row: dict[str, Any]) -> None:
    """SPEC §5.3a."""
    entry = Entry.decode(bytes.fromhex(row["entry"]))
    code, content = verdict(lambda: check_part(entry, row["tag"], bytes.fromhex(row["part"])))
    assert code == row["verdict"]
    if code == "ok":
        assert content.hex() == row["content"]


@rows("statements", "rows")
def test_statement(row: dict[str, Any]) -> None:
    entry = Entry.decode(bytes.fromhex(row["entry"]))
    parts = {tag: bytes.fromhex(part) for tag, part in row["parts"].items()}
    code, said = verdict(lambda: statements.read(entry, parts))
    names = {Unknown: "unknown", Incomplete: "incomplete"}
    assert names.get(type(said), code) == row["verdict"]
    if isinstance(said, Statement):
        view = getattr(said, "view", None)
        assert row["says"] == {
            "type": said.TYPE,
            "facts": show(said.facts()),
            "view": None if view is None else show(view.values()),
        }


def test_every_statement_has_a_vector() -> None:
    said = json.loads((VECTORS / "statements.json").read_text())["rows"]
    assert {row["says"]["type"] for row in said if "says" in row} == set(statements.REGISTRY)


@rows("bundle", "rows")
@pytest.mark.parametrize("piece", [1, 7, 1 << 20])
def test_bundle(row: dict[str, Any], piece: int) -> None:
    """SPEC §8.2a, §8.2b."""
    data = bytes.fromhex(row["bytes"])

    def read() -> list[bundle.Frame]:
        reader = bundle.FrameReader(bytes_max=row["bytes_max"])
        frames = [frame for at in range(0, len(data), piece) for frame in reader.feed(data[at : at + piece])]
        reader.close()
        return frames

    code, frames = verdict(read)
    assert code == row["verdict"]
    if code == "ok":
        assert [show([frame.KIND, *frame.values()]) for frame in frames] == row["frames"]
        again = bundle.MAGIC + b"".join(map(bundle.encode_frame, frames))
        assert bundle.decode_bundle(again, bytes_max=1 << 20) == frames


@rows("identity", "inceptions")
def test_inception(row: dict[str, Any]) -> None:
    """SPEC §4.1a."""
    entry, part = bytes.fromhex(row["entry"]), bytes.fromhex(row["part"])
    code, inception = verdict(lambda: read_inception(entry, part, row["gid"]))
    assert code == row["verdict"]
    if code == "ok":
        assert [getattr(inception, field.name).hex() for field in fields(inception)] == row["keys"]
        assert group_id(entry) == row["gid"]
        sealed = incept(inception, bytes(range(16)), Entry.decode(entry).hour)
        assert (sealed.entry, sealed.parts) == (entry, (("facts", part),))


@rows("identity", "origins")
def test_origin(row: dict[str, Any]) -> None:
    code, origin = verdict(lambda: parse_origin(row["text"]))
    assert code == row["verdict"]
    if code == "ok":
        circle = None if origin.circle is None else origin.circle.hex()
        assert [origin.gid, origin.kind, circle, origin.generation] == row["fields"]
        assert str(origin) == row["text"]
        assert origin_hash(row["text"]).hex() == row["hash"]


@rows("request_signing", "rows")
def test_request(row: dict[str, Any]) -> None:
    keys = json.loads((VECTORS / "request_signing.json").read_text())["keys"]

    def key_for(gid: str) -> VerifyKey:
        if gid not in keys:
            raise ProtocolError("unknown_key", "no such group")
        return VerifyKey.admit(bytes.fromhex(keys[gid]))

    code, verified = verdict(
        lambda: request_signing.verify_request(
            method=row["method"],
            path=row["path"],
            query=row["query"],
            headers=[(name, value) for name, value in row["headers"]],
            destination_gid=row["destination"],
            key_for=key_for,
            body_sha256=bytes.fromhex(row["body_sha256"]),
        )
    )
    assert code == row["verdict"]
    if code == "ok":
        expected = (row["gid"], row["created"], row["nonce"], row["body_sha256"])
        assert (verified.gid, verified.created, verified.nonce, verified.body_sha256.hex()) == expected


@rows("words", "rows")
def test_words(row: dict[str, Any]) -> None:
    nonce_a, nonce_b = bytes.fromhex(row["nonce_a"]), bytes.fromhex(row["nonce_b"])
    code, found = verdict(lambda: words.four_words(row["gid_a"], row["gid_b"], nonce_a, nonce_b))
    assert code == row["verdict"]
    if code == "ok":
        assert list(found) == row["words"]
        assert words.commitment(nonce_a).hex() == row["commitment_a"]


@rows("terms", "terms")
def test_terms(row: dict[str, Any]) -> None:
    data = bytes.fromhex(row["bytes"])
    code, terms = verdict(lambda: Terms.decode(data))
    assert code == row["verdict"]
    if code == "ok":
        values = [getattr(terms, field.name) for field in fields(terms)]
        assert [value.hex() if isinstance(value, bytes) else value for value in show(values[:3])] + [
            values[3].hex(),
            *values[4:],
        ] == row["fields"]
        assert terms.encode() == data
        assert circle_id(data).hex() == row["circle_id"]


@rows("terms", "signatures")
def test_terms_signature(row: dict[str, Any]) -> None:
    key = VerifyKey.admit(bytes.fromhex(row["key"]))
    terms, signature = bytes.fromhex(row["terms"]), bytes.fromhex(row["signature"])
    code, _ = verdict(lambda: verify_terms_signature(terms, row["gid"], key, signature))
    assert code == row["verdict"]


@rows("invitation", "rows")
def test_invitation(row: dict[str, Any]) -> None:
    code, found = verdict(lambda: invitation.parse(row["text"]))
    assert code == row["verdict"]
    if code == "ok":
        pieces = [found.gid, list(found.endpoints), found.secret.hex(), found.expires]
        assert pieces == row["fields"]
        assert invitation.format(found) == row["text"]


@rows("pairing", "rows")
def test_pairing_message(row: dict[str, Any]) -> None:
    data = bytes.fromhex(row["bytes"])
    code, message = verdict(lambda: pairing_messages.decode(data))
    assert code == row["verdict"]
    if code == "ok":
        assert type(message).__name__ == row["message"]
        assert show([getattr(message, field.name) for field in fields(message)]) == row["fields"]
        assert pairing_messages.encode(message) == data
