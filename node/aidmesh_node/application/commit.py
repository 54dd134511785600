"""The one way anything becomes durable: a job in the writer's transaction, answered only after COMMIT.

A caller that may have to repeat itself gives a `Once`; the answer is then kept in the transaction of the events, so
that a repeated request gets the first answer and changes nothing. If the process dies before COMMIT nothing happened;
if it dies after COMMIT and before the answer, the repetition is answered from the log.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aidmesh_node.application.ports import Work, Writer
from aidmesh_node.domain.refused import Refused

Job = Callable[[Work], Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Once:
    """The caller's promise that this key names this request and no other."""

    actor: str
    key: str
    request_hash: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What the caller is told: `body` holds the log position that reads may wait for."""

    body: dict[str, object]
    replayed: bool


async def commit(writer: Writer, job: Job, once: Once | None, lived: int) -> Reply:
    """Run `job` durably, once. Raises what it raises, Refused for a reused key, Unavailable if it cannot be kept.

    `lived`: the seconds this node has lived through, by which a kept answer grows old (`forgetting`).
    """
    if once is None:
        plain = await writer.run(lambda work: {**job(work), "position": work.position})
        return Reply(plain.value, replayed=False)

    def act_once(work: Work) -> tuple[dict[str, object], bool]:
        earlier = work.idempotency.find(once.actor, once.key)
        if earlier is not None:
            if earlier.request_hash != once.request_hash:
                raise Refused(
                    "idempotency_key_reused",
                    "This Idempotency-Key was already used for a different request.",
                    "Use a new key for a new request; repeat the old request unchanged to see its answer.",
                )
            return json.loads(earlier.body), True
        body = {**job(work), "position": work.position}
        thing = body.get("id")
        about = thing if isinstance(thing, str) else None
        work.idempotency.keep(once.actor, once.key, once.request_hash, json.dumps(body).encode(), lived, about)
        return body, False

    done = await writer.run(act_once)
    return Reply(*done.value)
