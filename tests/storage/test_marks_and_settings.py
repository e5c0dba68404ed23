"""Tests of what may change beside immutable rows: marks of takes, measurements, settings."""

import pytest

from storage import marks, measurements, references, settings, takes
from storage.database import Library
from storage.records import Project
from tests.storage import scene


@pytest.fixture
def take_id(library: Library, project: Project) -> str:
    scene.add_shots(library, project, "s1")
    made = scene.blobs_for(library, "first")
    with library.write() as tx:
        for blob in made:
            references.add(tx, *blob)
        return takes.add(tx, scene.take("s1", made)).id


def test_a_take_is_rated_and_trashed_without_changing(library: Library, take_id: str) -> None:
    with library.write() as tx:
        before = takes.get(tx, take_id)
        marks.rate(tx, take_id, 4)
        marks.trash(tx, take_id)
    with library.read() as tx:
        mark = marks.of_takes(tx, [take_id])[take_id]
        assert takes.get(tx, take_id) == before
    assert (mark.rating, mark.trashed_at is not None) == (4, True)
    with library.write() as tx:
        marks.restore(tx, take_id)
        assert marks.of_takes(tx, [take_id])[take_id] == marks.TakeMark(take_id=take_id, rating=4)


def test_six_stars_are_refused(library: Library, take_id: str) -> None:
    with library.write() as tx, pytest.raises(ValueError, match="Expected 0 to 5 stars"):
        marks.rate(tx, take_id, 6)


def test_a_measurement_is_found_by_its_kind_and_key(library: Library) -> None:
    with library.write() as tx:
        measurements.put(tx, "a" * 64, "fidelity", {"psnr": [21.5]})
        measurements.put(tx, "a" * 64, "fidelity", {"psnr": [22.5]})
    with library.read() as tx:
        assert measurements.find(tx, "fidelity", ["a" * 64, "b" * 64]) == {
            "a" * 64: {"psnr": [22.5]}
        }
        assert measurements.find(tx, "lint", ["a" * 64]) == {}


def test_a_setting_keeps_its_last_value(library: Library) -> None:
    with library.write() as tx:
        assert settings.get(tx, "theme", "dark") == "dark"
        settings.put(tx, "theme", "light")
        settings.put(tx, "theme", {"name": "light"})
    with library.read() as tx:
        assert settings.get(tx, "theme") == {"name": "light"}
