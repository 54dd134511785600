"""The client for the design's crashloop: posts needs, eight at a time. `loop_client.py DATA PORT JOURNAL ROUND`.

What it was not answered in an earlier round it says again first, with the same Idempotency-Key. Prints TRY, ACK and NO.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections.abc import Iterator
from itertools import chain, count
from pathlib import Path
from typing import TextIO

CLIENTS = 8
VALUE_MAX = 900

QUICK_MAX = 500
"""Needs of one round that are posted as fast as they are answered; then slowly, since the power cuts' disk is small."""

SLOW_SECONDS = 0.05


def unanswered(journal: Path) -> dict[str, str]:
    """Ids and values that were tried and neither acknowledged nor refused."""
    open_: dict[str, str] = {}
    for line in journal.read_text().splitlines() if journal.exists() else ():
        kind, ident, value = line.split(" ")
        if kind == "TRY":
            open_[ident] = value
        else:
            open_.pop(ident, None)
    return open_


def things(journal: Path, round_: str) -> Iterator[tuple[int, str, str]]:
    """Which of this round it is, its id and its value; without end."""
    draw = random.Random(round_)
    new = ((f"r{round_}n{number}", str(draw.randint(1, VALUE_MAX))) for number in count(1))
    for number, (ident, value) in enumerate(chain(unanswered(journal).items(), new), 1):
        yield number, ident, value


def request(ident: str, value: str, token: str) -> bytes:
    need = {"category": "household", "item": f"crate {ident}", "quantity": value, "unit": "item"}
    body = json.dumps(need).encode()
    head = (
        f"POST /api/v1/needs HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n"
        f"Idempotency-Key: {ident}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def client(port: int, token: str, todo: Iterator[tuple[int, str, str]], log: TextIO) -> None:
    """Post one after the other until the connection breaks."""

    def say(kind: str) -> None:
        log.write(f"{kind} {ident} {value}\n")
        print(kind, ident, value, flush=True)

    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for number, ident, value in todo:
        if number > QUICK_MAX:
            await asyncio.sleep(SLOW_SECONDS)
        say("TRY")
        writer.write(request(ident, value, token))
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
        status = int(head[9:12])
        if status < 500:
            say("ACK" if status < 300 else "NO")


async def main(data: Path, port: int, round_: str, journal: Path, log: TextIO) -> None:
    token = (data / "home" / "operator.token").read_text().strip()
    todo = things(journal, round_)
    await asyncio.gather(*(client(port, token, todo, log) for _ in range(CLIENTS)), return_exceptions=True)


if __name__ == "__main__":
    data, port, journal, round_ = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), sys.argv[4]
    with journal.open("a", buffering=1) as log:
        asyncio.run(main(data, port, round_, journal, log))
