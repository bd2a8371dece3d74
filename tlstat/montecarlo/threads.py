"""One thread a worker, no orphans: how a process that runs blocks behaves.

The number of threads changes sums in their last bits, so every block runs on one.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator

THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_local = threading.local()


def limit_threads() -> None:
    """Hold BLAS, OpenMP and torch to one thread, for good; cheap when nothing new was imported."""
    loaded = len(sys.modules)
    if getattr(_local, "modules", None) == loaded:
        return
    import threadpoolctl

    threadpoolctl.threadpool_limits(1)
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    _local.modules = len(sys.modules)


@contextlib.contextmanager
def single_thread() -> Iterator[None]:
    """Hold this process to one thread while a run is in it, and restore what was before."""
    import threadpoolctl

    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    torch = sys.modules.get("torch")
    torch_threads = torch.get_num_threads() if torch is not None else None
    # for libraries that a block will load: limits reach only what is loaded
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    try:
        with threadpoolctl.threadpool_limits(1):
            limit_threads()
            yield
    finally:
        _local.modules = None
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if torch is not None and torch_threads is not None:
            torch.set_num_threads(torch_threads)


def initialise(parent: int) -> None:
    """Start a worker: mark it, ignore Ctrl-C (the parent decides), watch for the parent's end."""
    os.environ["TLSTAT_WORKER"] = "1"
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(parent,), daemon=True, name="tlstat-watchdog").start()


def _watch(parent: int) -> None:
    """End this process when its parent is gone: pools leave orphans after a SIGKILL."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(1)
