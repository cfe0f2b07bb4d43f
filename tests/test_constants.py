"""Constants of a recording: there, left empty in the manifest, or never stated."""

import numpy as np
import pytest
import xarray as xr

from coldbond import constants


def test_a_stated_constant_is_returned():
    assert constants.required(xr.Dataset(attrs={"area_cm2": 0.785}), "area_cm2") == 0.785


@pytest.mark.parametrize("attrs", [{}, {"area_cm2": np.nan}])
def test_a_missing_constant_is_named_with_its_remedy(attrs):
    recording = xr.Dataset(attrs=attrs | {"source": "cell.csv"})
    with pytest.raises(ValueError, match=r"cell.csv: the electrode area is not known.*manifest.csv.*area_cm2=.*cm2"):
        constants.required(recording, "area_cm2")
    assert np.isnan(constants.optional(recording, "area_cm2"))
