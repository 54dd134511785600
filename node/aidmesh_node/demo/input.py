"""What the demo's groups import, and how they are called: read from the files, nothing of it is known beforehand.

Each request of the requisition goes to one of the two asking groups in turn; the stock is that of the organisation
with the most rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final
from uuid import uuid4

from aidmesh_node.demo.failure import DemoFailed
from aidmesh_node.domain.refused import Refused
from aidmesh_node.exchange import samples
from aidmesh_node.exchange.plan import ImportFile, ImportPlan, column_values, plan_import
from aidmesh_node.exchange.report import ImportProblems

REQUESTS, ITEMS, STOCK, FORM = "inv_req.csv", "inv_req_item.csv", "inv_item.csv", "submission_responses.csv"
SUBFOLDERS: Final = {
    REQUESTS: "sahana-eden/IFRC/Train",
    ITEMS: "sahana-eden/IFRC/Train",
    STOCK: "sahana-eden/IFRC/Train",
    FORM: "rubyforgood-mutual-aid",
}
"""Where the files lie in the design's folder of real data; a folder may also hold them side by side."""

SHARED_VARIABLE: Final = "AIDMESH_SHARED"
REQUEST_COLUMN, OWNER_COLUMN = "Request Number", "Organisation"
ASKING_GROUPS: Final = 2
PROBLEMS_TOLD_MAX: Final = 3


@dataclass(frozen=True, slots=True)
class ImportInput:
    """What one import takes: the files, the day their dates move to, and which rows of them."""

    files: tuple[ImportFile, ...]
    as_of: date
    where: dict[str, str]

    def plan(self) -> ImportPlan:
        """What it would record. Raises ImportProblems."""
        return plan_import(self.files, as_of=self.as_of, where=self.where, namespace=uuid4())

    def to_json(self) -> dict[str, object]:
        """The body that POST /imports takes."""
        return {
            "files": [{"name": file.name, "text": file.data.decode("utf-8")} for file in self.files],
            "as_of": self.as_of.isoformat(),
            "where": self.where,
        }


@dataclass(frozen=True, slots=True)
class GroupInput:
    """A group by its name, and what it imports."""

    name: str
    imports: tuple[ImportInput, ...]


@dataclass(frozen=True, slots=True)
class DemoInput:
    """`source`: the folder the files came from. `asking`: the groups with needs. `giving`: the one with stock."""

    source: Path
    asking: tuple[GroupInput, ...]
    giving: GroupInput


def find_data(given: Path | None, environment: Mapping[str, str], here: Path) -> Path:
    """The folder with the files: what was given, else AIDMESH_SHARED or ../shared, else what the project ships.

    Raises DemoFailed when a given folder lacks a file.
    """
    if given is not None:
        if lacking := [name for name in SUBFOLDERS if _path(given, name) is None]:
            raise DemoFailed(f"{given} has no {', '.join(lacking)}: the demo needs {', '.join(SUBFOLDERS)}.")
        return given
    if (shared := environment.get(SHARED_VARIABLE)) is not None:
        places = [here / shared / "data"]
    else:
        tree = Path(__file__).resolve().parents[3]
        places = [here.parent / "shared" / "data", tree.parent / "shared" / "data"]
    shipped = Path(samples.__file__).parent
    return next((place for place in places if all(_path(place, name) for name in SUBFOLDERS)), shipped)


def read_input(data: Path, as_of: date) -> DemoInput:
    """Read and plan everything before any node starts. Raises DemoFailed naming file, row and column."""
    try:
        files = {name: _read(data, name) for name in SUBFOLDERS}
        return _planned(data, files, as_of)
    except ImportProblems as problems:
        first = problems.problems[:PROBLEMS_TOLD_MAX]
        told = "; ".join(f"{one.file} row {one.row} {one.column}: {one.message} {one.hint}" for one in first)
        raise DemoFailed(f"{problems.detail} {told}") from None
    except Refused as refused:
        raise DemoFailed(f"{refused.detail} {refused.hint}") from None


def _planned(data: Path, files: Mapping[str, ImportFile], as_of: date) -> DemoInput:
    requisition = (files[REQUESTS], files[ITEMS])
    requests = list(column_values(files[REQUESTS], REQUEST_COLUMN))
    owners = column_values(files[STOCK], OWNER_COLUMN)
    if not requests or not owners:
        raise DemoFailed(f"{data}: there is nothing to ask for, or nothing to give.")
    largest = max(owners, key=lambda owner: owners[owner])
    asking = []
    for first in range(min(ASKING_GROUPS, len(requests))):
        imports = tuple(
            ImportInput(requisition, as_of, {REQUEST_COLUMN: number}) for number in requests[first::ASKING_GROUPS]
        )
        area = _usual(need.area for one in imports for need in one.plan().needs)
        asking.append(GroupInput(area or f"Group {first + 1}", imports))
    stock = ImportInput((files[STOCK],), as_of, {OWNER_COLUMN: largest})
    form = ImportInput((files[FORM],), as_of, {})
    area = _usual(offer.area for offer in stock.plan().offers)
    form.plan()
    giving = GroupInput(f"{area} store" if area else "Store", (stock, form))
    return DemoInput(data, tuple(_told_apart(asking)), giving)


def _read(data: Path, name: str) -> ImportFile:
    path = _path(data, name)
    try:
        content = (path or data / name).read_bytes()
        content.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DemoFailed(f"{path or data / name} cannot be read as text: {error}") from None
    return ImportFile(name, content)


def _path(data: Path, name: str) -> Path | None:
    return next((path for path in (data / SUBFOLDERS[name] / name, data / name) if path.is_file()), None)


def _usual(areas: Iterable[str | None]) -> str | None:
    """The area that occurs most, the first of equals; None when no row names one."""
    named = Counter(area for area in areas if area)
    return named.most_common(1)[0][0] if named else None


def _told_apart(groups: Sequence[GroupInput]) -> list[GroupInput]:
    """The same groups; a name that was already given gets a number."""
    given: Counter[str] = Counter()
    told = []
    for group in groups:
        given[group.name] += 1
        count = given[group.name]
        told.append(GroupInput(group.name if count == 1 else f"{group.name} {count}", group.imports))
    return told
