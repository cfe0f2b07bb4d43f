"""The dask cluster that does the work: one that there is, or one of this machine."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster


@contextmanager
def client(scheduler: str | None) -> Iterator[Client]:
    """A client of the scheduler at this address, or, without one, of a worker of one thread for each core.

    Logs of a cluster of this machine are kept quiet: what fails is reported by whoever asked for it.
    """
    if scheduler:
        with Client(scheduler) as connected:
            yield connected
        return
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    # A worker holds one task at a time: when a task ends its process, no other task is blamed for it.
    dask.config.set({"distributed.scheduler.worker-saturation": 1.0})
    workers = dict(n_workers=os.cpu_count(), threads_per_worker=1)
    quiet = dict(dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL)
    with LocalCluster(**workers, **quiet) as cluster, Client(cluster) as connected:
        yield connected
