"""Paths and endpoints: where nodes talk to each other."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aidmesh_protocol import paths
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.limits import ENDPOINT_BYTES_MAX


@pytest.mark.parametrize(
    "address",
    [
        "https://aid.example.org",
        "http://localhost:8080",
        "http://[::1]:8080",
        "http://10.0.0.7:1/aid/mesh_1",
        f"http://{'a' * 56}.onion",
        "https://" + "a" * (ENDPOINT_BYTES_MAX - 8),
    ],
)
def test_where_a_node_may_answer(address: str) -> None:
    assert paths.check_endpoint(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "aid.example.org",
        "https://a/",
        "https://a//b",
        "https://a/../b?c",
        "https://a:65536",
        None,
        b"https://a",
    ],
)
def test_where_none_answers(address: object) -> None:
    with pytest.raises(ProtocolError) as refused:
        paths.check_endpoint(address)
    assert refused.value.code == "malformed"


def test_every_path_between_nodes_names_the_version() -> None:
    assert {paths.INFO, paths.SYNC, paths.WAKE, paths.PAIR} == {
        f"/aidmesh/1/{name}" for name in ("info", "sync", "wake", "pair")
    }


@given(st.one_of(st.text(), st.text(alphabet="htps:/.a0[]-", max_size=60).map("http://".__add__)))
def test_an_endpoint_never_has_what_an_invitation_separates_with(text: str) -> None:
    with contextlib.suppress(ProtocolError):
        assert not set(paths.check_endpoint(text)) & set(";,# \n")
