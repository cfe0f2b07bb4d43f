"""Every format has a sample, which it and no other recognises, and which it reads."""

import pytest

import samples
from coldbond.files import FORMATS, read

#: Formats that no test writes: a recording stands in, where there is one.
NEVER_WRITTEN = {"Neware .nda, .ndax"}


@pytest.mark.parametrize("form", FORMATS, ids=[form.name for form in FORMATS])
def test_every_format_has_a_sample_that_it_alone_recognises(tmp_path, form):
    found = samples.samples().get(form.name)
    if form.name in NEVER_WRITTEN and not found:
        pytest.skip("no recording of another laboratory can be had: see of_others")
    assert found, "add a writer of such a file to samples.WRITERS"
    for sample in found:
        assert samples.recognised(sample.data) in ([form.name], [])  # columns without names are recognised if stated
        (tmp_path / "sample").write_bytes(sample.data)
        assert read(tmp_path / "sample", **sample.stated).attrs["technique"] in form.techniques
