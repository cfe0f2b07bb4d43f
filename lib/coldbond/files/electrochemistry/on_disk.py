"""Values of a long recording, kept in a temporary file and loaded by xarray as they are needed."""

import tempfile
import weakref

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing


class OnDisk(BackendArray):
    """A one-dimensional array in an anonymous temporary file.

    The file is deleted with the object or when the process ends. It lies where the operating system keeps temporary
    files, or in the folder that TMPDIR names.
    """

    def __init__(self) -> None:
        self.file = tempfile.TemporaryFile(prefix="coldbond-")  # noqa: SIM115
        weakref.finalize(self, self.file.close)
        self.shape = (0,)
        self.dtype = np.dtype(float)

    def append(self, values: np.ndarray) -> None:
        """Append values, shape (n,)."""
        self.file.write(np.ascontiguousarray(values).data)
        self.dtype, self.shape = values.dtype, (self.shape[0] + values.size,)

    def lazy(self) -> indexing.LazilyIndexedArray:
        """Return the array as the data of an xarray variable."""
        self.file.flush()
        return indexing.LazilyIndexedArray(self)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> np.ndarray:
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.BASIC, self._copy)

    def _copy(self, key: tuple) -> np.ndarray:
        # Mapped only while it is copied: a mapped file counts as memory of this process.
        return np.array(np.memmap(self.file, self.dtype, "r", shape=self.shape)[key])
