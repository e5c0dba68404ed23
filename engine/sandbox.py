"""What the engine cannot reach: the network, and files that are none of its own.

Only on Linux, by means that need no rights and cannot be undone: Landlock for files and a seccomp
filter for sockets. They hold for every thread started afterwards. `MNEMOREEL_SANDBOX=off` leaves
them away, for a driver that cannot live with them; elsewhere there is no sandbox.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

SWITCH = "MNEMOREEL_SANDBOX"
_SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/sbin", "/opt", "/etc", "/proc", "/sys", "/nix")
_DEVICES = Path("/dev")
_REPOSITORY = Path(__file__).parents[1]

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every architecture
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_OLDEST = 2
"""Before this version of Landlock no file could be moved to another folder, as blobs are."""
_READ, _READ_FILE = 0b1100, 0b0100  # files and folders; files alone
_CHANGE = 0b11_1111_1111_0010  # write, remove, make of every kind, move
_TRUNCATE, _TRUNCATE_SINCE = 1 << 14, 3
_FILE_RIGHTS = 0b0110 | _TRUNCATE

_SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
"""Of each architecture, its name in a filter and its number of `socket`."""
_IO_URING_SETUP = 425
_FOREIGN_CALLS = 0x40000000
_LOCAL_FAMILIES = (1, 16)  # between processes of this machine, and questions to the kernel
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000
_EPERM, _EACCES, _ENOSYS = 1, 13, 38
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06


@dataclass(frozen=True, kw_only=True)
class Walls:
    """What was shut off. What could not be is open, as it is for every program."""

    files: bool
    network: bool


def confine(*, readable: Iterable[Path], writable: Iterable[Path]) -> Walls:
    """Shut this thread, and those it starts, off from the network and from all other files.

    Python, this program and the system's own folders stay readable, devices usable.

    Args:
        readable: files and folders beside them.
        writable: folders in which everything is allowed. They have to be there.
    """
    if sys.platform != "linux" or os.environ.get(SWITCH) == "off":
        return Walls(files=False, network=False)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return Walls(files=False, network=False)
    # Sockets last: nothing of this needs any, and a refusal of one says nothing about the other.
    files = _shut_files(libc, [*_own(), *readable], list(writable))
    return Walls(files=files, network=_shut_network(libc))


def linked(folder: Path) -> list[Path]:
    """Return the folders that links within `folder` lead to: caches of models are full of them."""
    if not folder.is_dir():
        return [folder.resolve()]
    links = {path.resolve().parent for path in folder.rglob("*") if path.is_symlink()}
    return [folder.resolve(), *sorted(links)]


def _own() -> list[Path]:
    home = Path.home()
    places = [Path(p) for p in (*sys.path, sys.prefix, sys.base_prefix) if p]
    found = [_REPOSITORY, *(p.resolve() for p in places)]
    # A program that was started in the home folder does not make that one its own.
    return [*map(Path, _SYSTEM), *(p for p in found if not home.is_relative_to(p))]


def _shut_files(libc: ctypes.CDLL, readable: Sequence[Path], writable: Sequence[Path]) -> bool:
    version = libc.syscall(_CREATE_RULESET, None, 0, 1)
    if version < _OLDEST:
        return False
    handled = _READ | _CHANGE | (_TRUNCATE if version >= _TRUNCATE_SINCE else 0)
    attributes = struct.pack("<Q", handled)
    rules = libc.syscall(_CREATE_RULESET, attributes, len(attributes), 0)
    if rules < 0:
        return False
    try:
        for path in readable:
            _allow(libc, rules, path, _READ)
        for path in (*writable, _DEVICES):
            _allow(libc, rules, path, handled)
        return bool(libc.syscall(_RESTRICT_SELF, rules, 0) == 0)
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: Path, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # not there: nothing to allow
    try:
        rights &= rights if path.is_dir() else _FILE_RIGHTS
        libc.syscall(_ADD_RULE, rules, 1, struct.pack("<Qi", rights, handle), 0)
    finally:
        os.close(handle)


def _shut_network(libc: ctypes.CDLL) -> bool:
    known = _SOCKET.get(platform.machine())
    if known is None:
        return False
    steps = _filter(*known)
    code = b"".join(struct.pack("<HBBI", *step) for step in steps)
    buffer = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(steps), ctypes.addressof(buffer))
    return bool(libc.prctl(_SET_SECCOMP, _FILTER, program, 0, 0) == 0)


def _filter(architecture: int, socket_call: int) -> list[tuple[int, int, int, int]]:
    """Return the steps (code, jump if so, jump if not, value) that each system call goes through.

    Sockets are refused but those within the machine, and so are calls that could make some in
    another way: io_uring, and calls by the numbers of another architecture.
    """
    families = len(_LOCAL_FAMILIES)
    return [
        (_LOAD, 0, 0, 4),  # the architecture
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _REFUSE | _EPERM),
        (_LOAD, 0, 0, 0),  # the number of the call
        (_AT_LEAST, 0, 1, _FOREIGN_CALLS),
        (_RETURN, 0, 0, _REFUSE | _ENOSYS),
        (_EQUAL, 0, 1, _IO_URING_SETUP),
        (_RETURN, 0, 0, _REFUSE | _ENOSYS),
        (_EQUAL, 0, families + 2, socket_call),
        (_LOAD, 0, 0, 16),  # its first argument, the family
        *((_EQUAL, families - i, 0, family) for i, family in enumerate(_LOCAL_FAMILIES)),
        (_RETURN, 0, 0, _REFUSE | _EACCES),
        (_RETURN, 0, 0, _ALLOW),
    ]
