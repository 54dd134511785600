"""The library's own recorder test cases, run against ours."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from eventsourcing.persistence import StoredEvent
from eventsourcing.tests import persistence as library

from aidmesh_node.storage.connections import connect_writer
from aidmesh_node.storage.recorder import NodeRecorder, WriterDatastore


class OurRecorder:
    def create_recorder(self) -> NodeRecorder:
        folder = TemporaryDirectory()
        connection = connect_writer(Path(folder.name) / "node.db")
        recorder = NodeRecorder(WriterDatastore(connection))
        recorder.create_table()

        def clean_up() -> None:
            # The library's tests leave threads behind that still read for a moment.
            with recorder.datastore.lock:
                connection.close()
            folder.cleanup()

        self.addCleanup(clean_up)  # type: ignore[attr-defined]
        return recorder


class TestAsApplicationRecorder(OurRecorder, library.ApplicationRecorderTestCase[NodeRecorder]):
    pass


class TestAsProcessRecorder(OurRecorder, library.ProcessRecorderTestCase):
    pass


class TestAsTrackingRecorder(OurRecorder, library.TrackingRecorderTestCase):
    pass


def test_a_lone_insert_needs_the_writers_transaction(tmp_path: Path) -> None:
    connection = connect_writer(tmp_path / "node.db")
    recorder = NodeRecorder(WriterDatastore(connection))
    recorder.create_table()
    with pytest.raises(RuntimeError, match="open transaction"):
        recorder.insert([StoredEvent("a", 1, "topic", b"state")])
    connection.close()
