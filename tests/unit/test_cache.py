"""What is compiled is kept privately, and never loaded when it is not what was written."""

from __future__ import annotations

import multiprocessing
import os
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from pynn_sparse.engine.toolchain import cache

CONTENT = b"\x7fELF and so on" * 1000


class Maker:
    """Writes a file, and counts how often it is asked to."""

    def __init__(self, content: bytes = CONTENT) -> None:
        self.content, self.calls = content, 0

    def __call__(self, path: Path) -> None:
        self.calls += 1
        path.write_bytes(self.content)


@pytest.fixture(autouse=True)
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that XDG_CACHE_HOME names; temporary files have one of their own."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    cache._warn.cache_clear()
    cache._of_this_process.cache_clear()
    return tmp_path / "cache"


def kept_again(path: Path) -> Maker:
    """What is asked to make the file if it is needed once more."""
    maker = Maker()
    assert cache.kept(path.name, maker) == path
    assert path.read_bytes().startswith(CONTENT)
    return maker


def test_it_is_made_once(base: Path) -> None:
    maker = Maker()
    path = cache.kept("a.so", maker)
    assert path.parent == base / "pynn-sparse"
    assert cache.kept("a.so", maker) == path
    assert (maker.calls, kept_again(path).calls) == (1, 0)


@pytest.mark.parametrize("umask", [0o002, 0o000, 0o077])
def test_nobody_else_can_write_whatever_the_umask(umask: int) -> None:
    before = os.umask(umask)
    try:
        path = cache.kept("a.so", Maker())
    finally:
        os.umask(before)
    for each in (path, path.parent):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700


def flip(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


DAMAGES = {
    "empty": lambda content: b"",
    "text": lambda content: b"not a library\n",
    "truncated": lambda content: content[: len(content) // 2],
    "without its end": lambda content: content[:-1],
    "longer": lambda content: content + b"\0",
    "first byte": lambda content: flip(content, 0),
    "a byte within": lambda content: flip(content, len(content) // 2),
    "last byte": lambda content: flip(content, len(content) - 1),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_made_anew(damage: str) -> None:
    path = cache.kept("a.so", Maker())
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    assert [kept_again(path).calls, kept_again(path).calls] == [1, 0]


def test_a_file_under_the_name_of_another_is_made_anew() -> None:
    path, other = cache.kept("a.so", Maker()), cache.kept("b.so", Maker())
    other.replace(path)
    assert kept_again(path).calls == 1


@pytest.mark.parametrize("mode", [0o720, 0o702, 0o777])
def test_a_file_that_others_can_write_is_made_anew(mode: int) -> None:
    path = cache.kept("a.so", Maker())
    path.chmod(mode)
    assert kept_again(path).calls == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_a_folder_that_others_can_write_is_closed_to_them() -> None:
    path = cache.kept("a.so", Maker())
    path.unlink()
    path.parent.chmod(0o777)
    assert kept_again(path).calls == 1
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_files_of_another_user_are_not_taken(monkeypatch: pytest.MonkeyPatch, base: Path) -> None:
    """This user, with another number, finds what the first one left."""
    path = cache.kept("a.so", Maker())
    monkeypatch.setattr(os, "geteuid", lambda: path.stat().st_uid + 1)
    monkeypatch.setattr(cache, "_of_this_process", lambda: base.parent / "temporary")
    maker = Maker()
    with pytest.warns(RuntimeWarning, match=r"pynn-sparse cannot be used \(it belongs to another"):
        other = cache.kept("a.so", maker)
    assert (maker.calls, other.parent) == (1, base.parent / "temporary")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission_is_not_used(base: Path) -> None:
    base.mkdir(mode=0o500)
    with pytest.warns(RuntimeWarning, match=f"{base}.*cannot be used .Permission denied.*XDG"):
        path = cache.kept("a.so", Maker())
    check_temporary(path, base)


def test_a_base_that_is_no_folder_is_not_used(base: Path) -> None:
    base.write_text("")
    with pytest.warns(RuntimeWarning, match=f"{base}.*cannot be used .Not a directory.*XDG_CACHE"):
        path = cache.kept("a.so", Maker())
    check_temporary(path, base)


def check_temporary(path: Path, base: Path) -> None:
    """The file is in a private folder for temporary files, and is found there, without a word."""
    assert path.parent == base.parent / "temporary" / f"pynn-sparse-{os.geteuid()}"
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert kept_again(path).calls == 0


def test_what_is_kept_is_used_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    path = cache.kept("a.so", Maker())
    monkeypatch.setattr(cache, "is_writable", lambda path: False)
    assert kept_again(path).calls == 0


def test_a_link_of_another_user_in_the_temporary_folder_is_not_followed(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base.write_text("")  # so that it is not used
    (base.parent / "elsewhere").mkdir(mode=0o700)
    link = base.parent / "temporary" / f"pynn-sparse-{os.geteuid()}"
    link.symlink_to(base.parent / "elsewhere")
    lstat = Path.lstat

    def foreign(path: Path) -> os.stat_result:
        status = list(lstat(path))
        status[4] += path == link  # the owner
        return os.stat_result(status)

    monkeypatch.setattr(Path, "lstat", foreign)
    with pytest.warns(RuntimeWarning, match="cannot be used"):
        path = cache.kept("a.so", Maker())
    assert path.parent != link
    assert path.parent.parent == base.parent / "temporary"


@pytest.mark.parametrize("value", ["", "relative", "./here"])
def test_a_base_that_is_not_absolute_counts_as_not_set(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As the XDG Base Directory Specification says."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.kept("a.so", Maker()).parent == tmp_path / "home" / ".cache" / "pynn-sparse"
    assert not list((tmp_path / "work").iterdir())


def slowly(path: Path) -> None:
    with (path.parent.parent / "begun").open("ab") as file:
        file.write(b".")
    time.sleep(0.2)
    path.write_bytes(CONTENT)


def keep_slowly() -> None:
    cache.kept("a.so", slowly)


def test_of_processes_that_need_it_at_the_same_time_one_makes_it(base: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=keep_slowly) for _ in range(4)]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    assert [each.exitcode for each in processes] == [0] * 4
    assert (base / "pynn-sparse" / "begun").read_bytes() == b"."
    assert kept_again(base / "pynn-sparse" / "a.so").calls == 0


def be_killed(path: Path) -> None:
    path.write_bytes(CONTENT[:100])
    os.kill(os.getpid(), 9)


def keep_and_be_killed() -> None:
    cache.kept("a.so", be_killed)


def test_nothing_is_left_of_a_process_that_was_killed(base: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=keep_and_be_killed)
    process.start()
    process.join()
    assert process.exitcode == -9
    path = base / "pynn-sparse" / "a.so"
    assert not path.exists()
    assert kept_again(path).calls == 1
    assert {each.name for each in path.parent.iterdir()} == {"a.so", cache._lock_of("a.so")}


def test_a_maker_that_fails_leaves_nothing(base: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(CONTENT)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cache.kept("a.so", fail)
    assert [each.name for each in (base / "pynn-sparse").iterdir()] == [cache._lock_of("a.so")]


def make_while_another_is_made(name: str, barrier: Any) -> None:
    def make(path: Path) -> None:
        barrier.wait(60)  # which no one gets past alone
        path.write_bytes(CONTENT)

    cache.kept(name, make)


def test_different_files_are_made_at_the_same_time(base: Path) -> None:
    names = ["a.so", "b.so"]
    assert len(set(map(cache._lock_of, names))) == 2
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(2)
    processes = [
        context.Process(target=make_while_another_is_made, args=(name, barrier)) for name in names
    ]
    for each in processes:
        each.start()
    for each in processes:
        each.join()
    assert [each.exitcode for each in processes] == [0, 0]
    assert {each.name for each in (base / "pynn-sparse").glob("*.so")} == set(names)
