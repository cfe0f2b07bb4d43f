"""Text in utf-8, utf-16, gb18030 and cp1252 is recognised; ambiguous text is refused until its encoding is stated."""

import pytest

from coldbond.files import ReadError, read
from coldbond.files.encoding import recognised

ENERGIES = (
    "structure,formula,energy_eV_per_atom,volume_A3_per_atom,atoms,model,source_of_structure\n"
    "Li,Li,-2.3844,19.779,1,PBE,{}\nAu,Au,-50.5695,17.682,1,PBE,x\n"
)
CYCLING = "Test Time (s),Voltage (V),Current ({}A),State\n0,0.05,100,{}\n1,0.05,-100,{}\n2,0.05,100,{}\n"


@pytest.mark.parametrize(
    "text",
    [
        "Stöhr and Schäfer",
        "Größe, Maß",
        "créée à Noël",
        "25 °C",
        "20 µA",
        "1 mA/cm²",
        "5 Å",
        "±0,5 µm",
        "Škoda – “quoted”",
        "cm²·g",
        "Ångström",
        "señor, ¿qué?",
        "µ",
        "pöytäältä",
    ],
)
def test_western_text_is_not_chinese(text):
    assert recognised(text.encode("cp1252")) == "cp1252"
    assert recognised(text.encode()) == "utf-8"


@pytest.mark.parametrize(
    "text",
    [
        "电压/V",
        "时间(秒)",
        "恒流充电",
        "测试时间",
        "℃",
        "静置",
        "工步号,电流(mA),秒",
        "循环序号\t容量(mAh)",
        "样品：镕",
    ],
)
def test_chinese_text_is_not_western(text):
    assert recognised(f"Record,{text},试样".encode("gb18030")) == "gb18030"
    assert recognised(text.encode("gb18030")) == "gb18030"


@pytest.mark.parametrize(
    ("text", "encoding"),
    [("測定時間、電圧、電流", "cp932"), ("Напряжение и ток", "cp1251"), ("zażółcić gęślą jaźń", "cp1250")],
)
def test_text_that_could_be_several_things_is_refused_and_can_be_stated(tmp_path, text, encoding):
    path = tmp_path / "energies.csv"
    path.write_bytes(ENERGIES.format(text).encode(encoding))
    with pytest.raises(ReadError, match=r"line 2: holds bytes that are not text in .*encoding='cp1252'"):
        read(path)
    assert read(path, encoding=encoding).attrs.get("encoding") is None


def test_damaged_utf8_is_not_taken_for_another_encoding():
    for text in ("25 °C, 20 µA, 5 Å", "Ω, µ, °", "电压, 电流", "Größe, Maß"):
        data = text.encode()
        assert recognised(data[:-1] if data[-1] > 127 else data + "ß".encode()[:1]) is None, text
        assert recognised(data) == "utf-8"


def test_the_encoding_is_said_and_the_values_are_the_same(tmp_path):
    for unit, state, encoding, said in (
        ("µ", "CC", "cp1252", "cp1252"),
        ("µ", "CC", "utf-8", None),
        ("u", "恒流充电", "gb18030", "gb18030"),
        ("µ", "恒流充电", "utf-8-sig", None),
        ("µ", "恒流充电", "utf-16", "utf-16"),
        ("µ", "CC", "utf-16-le", "utf-16"),
    ):
        path = tmp_path / f"{encoding}{state}.csv"
        path.write_bytes(CYCLING.format(unit, state, state, state).encode(encoding))
        recording = read(path)
        assert recording.attrs.get("encoding") == said
        assert recording.current.to_numpy() == pytest.approx([1e-4, -1e-4, 1e-4])
