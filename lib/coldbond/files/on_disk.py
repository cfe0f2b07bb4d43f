"""Values of a long recording in a temporary file, of which xarray takes into memory what is asked for."""

import tempfile
import weakref

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing


class OnDisk(BackendArray):
    """Values along one dimension; the file has no name and goes with the object, or with the process.

    It lies where the operating system keeps temporary files, or in the folder that TMPDIR names.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="coldbond-")  # noqa: SIM115
        weakref.finalize(self, self.file.close)
        self.shape = (0,)

    def append(self, values: np.ndarray) -> None:
        """Add values, shape (n,), behind those that are there."""
        self.file.write(np.ascontiguousarray(values).data)
        self.dtype, self.shape = values.dtype, (self.shape[0] + values.size,)

    def lazy(self) -> indexing.LazilyIndexedArray:
        """What a variable of xarray holds of them."""
        self.file.flush()
        return indexing.LazilyIndexedArray(self)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._copied)

    def _copied(self, key: tuple) -> np.ndarray:
        # Mapped for no longer than the copy takes: what is mapped counts as this process's memory.
        return np.array(np.memmap(self.file, self.dtype, "r", shape=self.shape)[key])
