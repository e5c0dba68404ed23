"""Every kind of fault of `app.py torture`, small: nothing lost, nothing missed, nothing to mend."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import pytest

from storage.database import Library
from studio.cli.main import main
from studio.faults import traced, workload
from studio.faults.corruption import corruptions, meaning_of
from studio.faults.kills import engine_kills, server_kills
from studio.faults.power_cuts import Disk, power_cuts
from studio.faults.races import clock_jumps, concurrent_tabs
from studio.faults.refusals import failing_calls
from studio.faults.tally import Tally, bound, table, total
from studio.faults.torture import KINDS, SHARES, torture_for, torture_until
from studio.faults.traced import Event
from studio.faults.verify import look_after

needs_strace = pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")


def require_clean(tally: Tally, *, injected: int) -> None:
    assert tally.is_clean, tally.notes
    assert tally.injected >= injected


def test_killed_servers_keep_what_they_acknowledged(folder: Path) -> None:
    tally = server_kills(folder, random.Random(1), kills=4)
    require_clean(tally, injected=4)
    assert tally.acknowledged >= 4


def test_a_job_whose_engine_is_killed_leaves_one_take(folder: Path) -> None:
    require_clean(engine_kills(folder, random.Random(2), num_jobs=3), injected=6)


@needs_strace
def test_a_power_cut_at_any_instant_keeps_what_was_acknowledged(folder: Path) -> None:
    tally = power_cuts(folder, random.Random(3), acts=10, num_cuts=12)
    require_clean(tally, injected=12)
    assert tally.acknowledged > 0


@needs_strace
def test_calls_that_fail_lose_nothing_that_was_acknowledged(folder: Path) -> None:
    require_clean(failing_calls(folder, random.Random(8), acts=8, runs=2), injected=1)


def test_damage_that_changes_a_meaning_is_reported(folder: Path) -> None:
    require_clean(corruptions(folder, random.Random(5), acts=12, faults=8), injected=8)


def test_tabs_that_edit_at_once_lose_no_edit(folder: Path) -> None:
    tally = concurrent_tabs(folder, random.Random(6))
    require_clean(tally, injected=1)
    assert tally.acknowledged == 120


def test_a_clock_that_jumps_doubles_no_take(folder: Path) -> None:
    require_clean(clock_jumps(folder, random.Random(7), num_jobs=4), injected=12)


@pytest.mark.faults
def test_ten_minutes_of_every_fault_are_clean() -> None:
    every = total(torture_for(10, seed=1))
    require_clean(every, injected=1000)


def test_what_is_gone_is_counted_as_lost(folder: Path) -> None:
    workload.prepare(folder)
    told: list[dict[str, object]] = []
    workload.work(folder, 1, told.append, count=12)
    takes = [item for item in told if "take" in item]
    with Library.open(folder) as library:
        library.blobs.delete(str(takes[0]["media"]))
    tally = Tally(kind="test")
    look_after(folder, told, tally)
    assert (tally.lost, tally.repairs) == (1, 1)
    assert not tally.is_clean


def test_a_library_that_lost_its_last_edits_is_noticed(folder: Path) -> None:
    workload.prepare(folder / "a")
    shutil.copytree(folder / "a", folder / "before")
    told: list[dict[str, object]] = []
    workload.work(folder / "a", 1, told.append, count=6)
    tally = Tally(kind="test")
    look_after(folder / "before", told, tally)
    assert tally.lost >= 1


def test_a_changed_take_is_another_meaning(folder: Path) -> None:
    workload.prepare(folder)
    workload.work(folder, 1, lambda _told: None, count=4)
    before = meaning_of(folder)
    workload.work(folder, 2, lambda _told: None, count=1)
    assert meaning_of(folder) != before


def test_an_unsynced_write_may_be_gone_and_a_synced_one_not(folder: Path) -> None:
    (folder / "base").mkdir()
    (folder / "base" / "a").write_bytes(b"old")
    disk = Disk(folder / "base")
    disk.happen(Event(kind="write", path="a", offset=0, data=b"new"))
    seen = {disk.after_cut(random.Random(n))["a"] for n in range(40)}
    assert {b"old", b"new"} <= seen
    disk.happen(Event(kind="sync", path="a"))
    assert {disk.after_cut(random.Random(n))["a"] for n in range(10)} == {b"new"}


def test_a_renamed_file_may_have_either_name_until_its_folder_is_synced(folder: Path) -> None:
    (folder / "base").mkdir()
    (folder / "base" / "a").write_bytes(b"x")
    disk = Disk(folder / "base")
    disk.happen(Event(kind="rename", path="a", target="b"))
    names = {name for number in range(20) for name in disk.after_cut(random.Random(number))}
    assert names == {"a", "b"}
    disk.happen(Event(kind="sync", path="."))
    assert list(disk.after_cut(random.Random(1))) == ["b"]


@needs_strace
def test_a_trace_holds_every_acknowledgement_after_its_sync(folder: Path) -> None:
    workload.prepare(folder / "library")
    events = traced.record(folder / "library", 1, 3, folder / "log")
    told = [event.told for event in events if event.told is not None]
    assert len(told) == 3
    kinds = [event.kind for event in events]
    assert "sync" in kinds[: kinds.index("told")]


def test_three_in_n_bounds_the_rate() -> None:
    assert bound(Tally(kind="a", injected=300)) == 0.01
    assert bound(Tally(kind="a")) == 1.0
    words = table([Tally(kind="a", injected=300), Tally(kind="b", injected=10, lost=1)])
    assert "| a | 300 | 0 | 0 | 0 | 0 | 0 | 1.00% |" in words
    assert words.splitlines()[-1].startswith("| all | 310 | 0 | 1 |")


def test_the_command_prints_one_object(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--json", "torture", "--minutes", "0.001", "--only", "clock jump"])
    printed = json.loads(capsys.readouterr().out)
    assert code == 0
    assert printed["lost"] == printed["undetected"] == printed["repairs"] == 0
    assert printed["injected"] == printed["kinds"]["clock jump"]["injected"] > 0


def test_the_command_refuses_no_time_no_faults_and_both(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["torture", "--minutes", "0"]) == 2
    assert "Expected more than 0" in capsys.readouterr().err
    assert main(["torture", "--faults", "0"]) == 2
    assert "Expected 1 or more" in capsys.readouterr().err
    assert main(["torture", "--faults", "5", "--minutes", "1"]) == 2
    assert "Choose one of them" in capsys.readouterr().err


def test_the_command_goes_on_until_there_were_enough_and_writes_a_page(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    page = tmp_path / "page.md"
    code = main(
        ["torture", "--faults", "40", "--seed", "3", "--only", "clock jump", "--out", str(page)]
    )
    assert code == 0
    assert "| clock jump | 72 |" in capsys.readouterr().out
    told = page.read_text()
    assert 'torture --faults 40 --only "clock jump" --seed 3`, ' in told
    assert "broken off" not in told


def test_every_kind_gets_its_share() -> None:
    assert set(SHARES) == set(KINDS)
    assert sum(SHARES.values()) == 100
    jumps = list(torture_until(100, seed=1, kinds=["clock jump"]))
    assert [tally.injected for tally in jumps] == [36, 36, 36]


def test_a_program_that_breaks_off_is_a_repair(folder: Path) -> None:
    workload.prepare(folder)
    tally = Tally(kind="test")
    look_after(folder, [{"broke": "IndexError()"}], tally)
    assert (tally.lost, tally.repairs) == (0, 1)
    assert "IndexError" in tally.notes[0]


def test_every_kind_has_its_own_name(folder: Path) -> None:
    assert clock_jumps(folder, random.Random(1), num_jobs=1).kind in KINDS
