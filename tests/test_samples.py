"""Every format has a sample, which it and no other recognises, and which it reads."""

import pytest

import samples
from coldbond.files import FORMATS, read


@pytest.mark.parametrize("form", FORMATS, ids=[form.name for form in FORMATS])
def test_every_format_has_a_sample_that_it_alone_recognises(tmp_path, form):
    found = samples.samples().get(form.name)
    assert found, "add a writer of such a file to samples.WRITERS"
    for sample in found:
        assert samples.recognised(sample.data) == [form.name]
        (tmp_path / "sample").write_bytes(sample.data)
        assert read(tmp_path / "sample", **sample.stated).attrs["technique"] in form.techniques


def test_every_writer_makes_a_file_of_some_format():
    for writer, _ in samples.WRITERS:
        assert samples.recognised(samples._written(writer))
