"""The configuration of one node: `config.toml` in its home, overridable by `AIDMESH_SECTION__KEY`.

Never reads any other environment variable: a variable meant for another program cannot change a node.
Precedence: environment > file > default.
"""

from __future__ import annotations

import ipaddress
import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from aidmesh_node.domain.emergency import NUMBER_DEFAULT, EmergencyAdvice
from aidmesh_node.domain.refused import Refused
from aidmesh_protocol.errors import ProtocolError
from aidmesh_protocol.paths import check_endpoint

PREFIX = "AIDMESH_"


class ConfigError(Exception):
    """The configuration cannot be used; says which key and what to do."""


class NodeSection(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Who this node is and where it listens."""

    name: str
    listen: str = "127.0.0.1:8420"
    url: str = ""
    proxies: str = ""
    """Reverse proxies in front of it, addresses or networks with commas between: believed about whom they speak for."""


class StateSection(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where the mark lies: outside the home and outside every backup, fixed at `init`."""

    dir: str


class EmergencySection(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whom to call where this group lives; shown before a need is saved as an emergency."""

    number: str = NUMBER_DEFAULT


class Config(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A node's configuration, whole."""

    node: NodeSection
    state: StateSection
    emergency: EmergencySection = EmergencySection()

    @property
    def host(self) -> str:
        return self.node.listen.rsplit(":", 1)[0].strip("[]")

    @property
    def port(self) -> int:
        return int(self.node.listen.rsplit(":", 1)[1])


def check_listen(text: str) -> str:
    """`HOST:PORT` as given, or ConfigError."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise ConfigError(f"listen address {text!r} is not HOST:PORT, for example 127.0.0.1:8420")
    return text


def check_url(text: str) -> str:
    """A peer-reachable `http(s)://host[:port]` base address, or empty, or ConfigError."""
    try:
        return check_endpoint(text.rstrip("/")) if text else ""
    except ProtocolError as error:
        raise ConfigError(f"url {text!r} cannot be used: {error.detail}") from None


def check_emergency_number(text: str) -> str:
    """What people dial in an emergency, as given, or ConfigError."""
    try:
        return EmergencyAdvice(text).number
    except Refused as refused:
        raise ConfigError(f"emergency.number cannot be used: {refused}") from None


def proxy_networks(text: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    """The networks that `node.proxies` names, or ConfigError."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise ConfigError(
            f"node.proxies {text!r} cannot be used: {error}; write for example 127.0.0.1, 172.28.0.0/16"
        ) from None


def write_config(path: Path, config: Config) -> None:
    """Write the file that `load_config` reads; its bytes are durable on return. Not atomic: only `init` writes, into an
    empty home, and `group.json` comes after it."""
    lines: list[str] = []
    for section, values in msgspec.to_builtins(config).items():
        # A JSON string is also a TOML basic string.
        lines += [f"[{section}]", *(f"{key} = {json.dumps(value)}" for key, value in values.items()), ""]
    with path.open("w", encoding="utf-8") as file:
        path.chmod(0o600)
        file.write("\n".join(lines))
        file.flush()
        os.fsync(file.fileno())


def load_config(path: Path, environment: Mapping[str, str]) -> tuple[Config, dict[str, str]]:
    """The configuration and, per `section.key`, where its value came from (file, environment, default).

    Raises ConfigError naming the key and what to do.
    """
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"no {path}: is this a node's home? Make one with: aidmesh init --home DIR --name NAME"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from None
    origins = {
        f"{section}.{key}": str(path) for section, values in raw.items() if isinstance(values, dict) for key in values
    }
    known = {"node": NodeSection, "state": StateSection, "emergency": EmergencySection}
    for name, value in sorted(environment.items()):
        section, double, key = name.removeprefix(PREFIX).lower().partition("__")
        if not name.startswith(PREFIX) or not double:
            continue
        if section not in known or key not in known[section].__struct_fields__:
            raise ConfigError(f"environment variable {name} names no setting; see: aidmesh config show")
        raw.setdefault(section, {})[key] = value
        origins[f"{section}.{key}"] = f"environment {name}"
    try:
        config = msgspec.convert(raw, Config)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {error}") from None
    check_listen(config.node.listen)
    check_url(config.node.url)
    check_emergency_number(config.emergency.number)
    proxy_networks(config.node.proxies)
    for section, struct in known.items():
        for key in struct.__struct_fields__:
            origins.setdefault(f"{section}.{key}", "default")
    return config, origins
