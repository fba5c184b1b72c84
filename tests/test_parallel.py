"""Memory that is kept while a network is trained; threads and processes are tested where they are
used."""

from __future__ import annotations

import sys

import pytest

from lstmcast.util import parallel


class Recorder:
    """Stands for glibc."""

    def __init__(self):
        self.said = []

    def mallopt(self, which, value):
        self.said.append((which, value))

    def malloc_trim(self, pad):
        self.said.append("trim")


def test_memory_is_kept_within_and_given_back_afterwards(monkeypatch):
    glibc = Recorder()
    monkeypatch.setattr(parallel, "_glibc", lambda: glibc)
    with pytest.raises(KeyError), parallel.kept_memory():
        within = dict(glibc.said)
        raise KeyError
    assert set(within) == {-1, -3} and set(within.values()) == {1 << 30}
    after = glibc.said[2:]
    assert after[-1] == "trim" and dict(after[:-1]) == {-1: 1 << 26, -3: 1 << 25}


def test_nothing_happens_where_there_is_no_glibc(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with parallel.kept_memory():
        assert parallel._glibc() is None


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_the_thresholds_are_taken_where_there_is_glibc():
    library = parallel._glibc()
    if library is None:
        pytest.skip("no glibc here")
    assert all(
        library.mallopt(which, value) == 1 for which, value in parallel._USUAL.items()
    )
    assert all(library.mallopt(which, parallel._ALL) == 1 for which in parallel._USUAL)
    assert all(
        library.mallopt(which, value) == 1 for which, value in parallel._USUAL.items()
    )
