"""What every test of the house shares: where the design's data lies, which skips count, a clean environment.

No fixture of the product lives here; those are in tests/support/ or beside the tests that use them.
"""

import os
from collections.abc import Generator
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

ROOT = Path(__file__).resolve().parent.parent
SHARED = (ROOT / (os.environ.get("AIDMESH_SHARED") or "../shared")).resolve()

# Under AIDMESH_CI=1 a skip is a failure unless its reason begins with one of these: what the machine lacks.
SKIPS_ALLOWED = ("shared folder absent:", "probed absent:")

# Read by the product or by a library it uses, so a developer's shell must not decide what a test sees.
SETTINGS_KEPT = ("AIDMESH_SHARED", "AIDMESH_CI", "AIDMESH_VENV")
SETTINGS_CLEARED = (
    *("AGGREGATE_CACHE_MAXSIZE", "CIPHER_KEY", "CIPHER_TOPIC", "COMPRESSOR_TOPIC", "CREATE_TABLE"),
    *("FACTORY_TOPIC", "INFRASTRUCTURE_FACTORY", "IS_SNAPSHOTTING_ENABLED", "MAPPER_TOPIC"),
    *("PERSISTENCE_MODULE", "SQLITE_DBNAME", "TRANSCODER_TOPIC"),
    *("COLUMNS", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "LINES", "NO_COLOR"),
)

settings.register_profile("everyday", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.register_profile("thorough", deadline=None, max_examples=5_000, print_blob=True)


def pytest_configure(config: pytest.Config) -> None:
    # Before anything of the product is imported: the children that tests start inherit what is left.
    for name in list(os.environ):
        if name in SETTINGS_CLEARED or (name.startswith("AIDMESH_") and name not in SETTINGS_KEPT):
            del os.environ[name]
    if not config.getoption("--hypothesis-profile"):
        settings.load_profile("ci" if in_ci() else "everyday")


def pytest_report_header() -> str:
    state = "present" if SHARED.is_dir() else "absent, tests marked shared skip"
    return f"AIDMESH_SHARED: {SHARED} ({state})"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # tryfirst: the marks must be on before `-m` selects by them.
    for item in items:
        if "shared" in getattr(item, "fixturenames", ()):
            item.add_marker("shared")
        if item.get_closest_marker("shared") and not SHARED.is_dir():
            item.add_marker(pytest.mark.skip(reason=f"shared folder absent: {SHARED}"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the design's vectors, data and tools; asking for it marks a test `shared`."""
    return SHARED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return refuse_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return refuse_skip((yield))


def refuse_skip(report: Report) -> Report:
    """In CI a skipped test is a failed one, unless the machine lacks what it needs."""
    if not (in_ci() and report.outcome == "skipped") or hasattr(report, "wasxfail"):
        return report
    if "shared" in getattr(report, "keywords", ()) and not SHARED.is_dir():
        return report
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if not reason.removeprefix("Skipped: ").startswith(SKIPS_ALLOWED):
        report.outcome = "failed"
        report.longrepr = f"{reason}: in CI a test may skip only for: {', '.join(SKIPS_ALLOWED)}"
    return report


def in_ci() -> bool:
    return os.environ.get("AIDMESH_CI") == "1"
