"""JSON Schema of the types of requests and answers, each named type once, and examples put together from theirs."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeGuard, get_origin

import msgspec

from aidmesh_node.http import fields

Json = dict[str, Any]

PREFIX: Final = "#/components/schemas/"


class Schemas:
    """Collects `components`, the named schemas of one document."""

    def __init__(self) -> None:
        self.components: Json = {}
        self._titled: Json = {}
        for kind in vars(fields).values():
            if get_origin(kind) is Annotated:
                schema = self._plain(msgspec.json.schema(kind), struct=True)
                if (title := msgspec.json.schema(kind).get("title")) is not None:
                    self._titled[title] = schema

    def reference(self, shape: type) -> Json:
        """The schema of `shape`: a reference where it has a name."""
        (schema,), named = msgspec.json.schema_components([shape], ref_template=PREFIX + "{name}")
        for name, component in named.items():
            self._name(name, self._plain(component, struct=True))
        plain = self._plain(schema)
        assert isinstance(plain, dict)
        return plain

    def members(self, shape: type) -> frozenset[str]:
        """The names of the members of a struct's JSON; none for anything else."""
        return frozenset(shape.__struct_encode_fields__) if _is_struct(shape) else frozenset()

    def parameters(self, shape: type) -> list[Json]:
        """The members of a struct as query parameters; those without a default have to be there."""
        (_,), named = msgspec.json.schema_components([shape], ref_template=PREFIX + "{name}")
        properties: Json = named[shape.__name__]["properties"]
        needed = named[shape.__name__].get("required", ())
        return [
            {"name": name, "in": "query", "required": name in needed, "schema": _without_null(self._plain(schema))}
            for name, schema in properties.items()
        ]

    def _name(self, name: str, component: Json) -> None:
        known = self.components.setdefault(name, component)
        if known != component:
            raise ValueError(f"two types of the API are called {name}")

    def _plain(self, schema: Any, *, struct: bool = False) -> Any:
        """As JSON Schema has it: titled types become components, patterns are those of every language."""
        if isinstance(schema, list):
            return [self._plain(part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        plain: Json = {
            key: {name: self._plain(part) for name, part in value.items()}
            if key == "properties"
            else value
            if key in ("examples", "default", "enum")
            else self._plain(value)
            for key, value in schema.items()
        }
        if isinstance(pattern := plain.get("pattern"), str):
            plain["pattern"] = pattern.replace(r"\A", "^").replace(r"\Z", "$")
        title: str | None = plain.pop("title", None)
        if struct or title is None:
            return plain
        named = self._titled[title]
        self._name(title, named)
        # Where it stands it may have a default and words of its own.
        own = {key: value for key, value in plain.items() if named.get(key) != value}
        if not own.keys() <= {"default", "description", "examples"}:
            raise ValueError(f"two types of the API are called {title}")
        return {"$ref": PREFIX + title, **own}


def example_of(schema: Json, components: Json) -> Any:
    """A value that fits the schema, from the examples of its parts."""
    if "$ref" in schema:
        return example_of(components[schema["$ref"].removeprefix(PREFIX)], components)
    if "examples" in schema:
        return schema["examples"][0]
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], components)
    match schema.get("type"):
        case "object":
            shown = schema.get("properties", {})
            required = schema.get("required", ())
            return {
                name: example_of(part, components)
                for name, part in shown.items()
                if name in required or "default" in part
            }
        case "array":
            return [example_of(schema["items"], components)] if "items" in schema else []
        case "boolean":
            return True
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "string":
            return "text"
    return None


def _without_null(schema: Json) -> Json:
    """A parameter that may be left out is never the text "null"."""
    kept = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
    if len(kept) == 1:
        schema = {**kept[0], **{key: value for key, value in schema.items() if key not in ("anyOf", "default")}}
    return {key: value for key, value in schema.items() if key != "default"}


def _is_struct(shape: type) -> TypeGuard[type[msgspec.Struct]]:
    return issubclass(shape, msgspec.Struct)
