"""A fork proof in a file, judged without a node: what `aidmesh fork verify` asks."""

from __future__ import annotations

from pathlib import Path

from aidmesh_node.home import StartError


def verify_fork(path: Path) -> dict[str, object]:
    """{gid, origin, smaller, larger, tells} of a proof that holds. Raises StartError for any other file."""
    from aidmesh_protocol.errors import ProtocolError
    from aidmesh_protocol.fork_file import decode_fork_file
    from aidmesh_protocol.fork_proof import convict
    from aidmesh_protocol.limits import FORK_FILE_BYTES_MAX

    try:
        with path.open("rb") as file:
            data = file.read(FORK_FILE_BYTES_MAX + 1)
        convicted = convict(decode_fork_file(data))
    except OSError as error:
        raise StartError(f"{path} cannot be read: {error.strerror}") from error
    except ProtocolError as error:
        raise StartError(f"{path} proves nothing against anybody: {error.detail}") from error
    return {
        "gid": convicted.gid,
        "origin": convicted.origin,
        "smaller": convicted.smaller.size,
        "larger": convicted.larger.size,
        "tells": convicted.tells(),
    }
