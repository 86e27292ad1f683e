"""The disk of the journal is measured now and then."""

import math
from pathlib import Path

from poller.journal.journal_disk import JournalDisk
from poller.metrics import PollerMetrics


def test_a_folder_has_the_room_of_its_disk(tmp_path: Path) -> None:
    """And one that is gone has none that is known; it is not measured again at once."""
    metrics = PollerMetrics()
    measured = JournalDisk(metrics)
    value = metrics.registry.get_sample_value
    assert measured.is_due
    measured.measure(tmp_path)
    free = value("pillowcast_poller_journal_disk_free_bytes")
    size = value("pillowcast_poller_journal_disk_size_bytes")
    assert free is not None
    assert size is not None
    assert 0 < free <= size
    assert not measured.is_due

    measured.measure(tmp_path / "gone")
    assert math.isnan(value("pillowcast_poller_journal_disk_free_bytes") or 0)
