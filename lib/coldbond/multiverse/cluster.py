"""Connection to a dask cluster: an existing one, or one on the cores of this machine."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster


@contextmanager
def client(scheduler: str | None) -> Iterator[Client]:
    """Connect to the scheduler at an address or, without one, start one worker with one thread for each core.

    A local cluster logs nothing, because its users report failed tasks themselves.
    """
    if scheduler:
        with Client(scheduler) as connected:
            yield connected
        return
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    # A worker receives one task at a time. If a task kills its process, no other task counts as failed.
    dask.config.set({"distributed.scheduler.worker-saturation": 1.0})
    workers = dict(n_workers=os.cpu_count(), threads_per_worker=1)
    quiet = dict(dashboard_address="127.0.0.1:0", silence_logs=logging.CRITICAL)
    with LocalCluster(**workers, **quiet) as cluster, Client(cluster) as connected:
        yield connected
