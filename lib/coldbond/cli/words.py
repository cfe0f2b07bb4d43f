"""The words that laboratories write into names of files and folders, English and Chinese, and what they say.

Each part of a path is brought to one form (full-width characters become ASCII), and every word that is known is taken
out of it: the cycle, the temperature, a date, the number of a cell, the technique. What remains may be the sample.
"""

import re
import unicodedata
from dataclasses import dataclass, field

#: Stands in a name where a word was taken out.
CUT = "\x1f"
#: Between two words.
SEP = r"[\s_\-.,+=~·]*"
NUMBER = r"\d+(?:[.p]\d+)?"
CJK = r"\u3400-\u9fff"


def _word(pattern: str) -> re.Pattern[str]:
    """Return a pattern that matches whole words: no Latin letter and no digit touches it."""
    return re.compile(rf"(?<![A-Za-z0-9])(?:{pattern})(?![A-Za-z0-9])", re.IGNORECASE)


def _letters(pattern: str) -> re.Pattern[str]:
    """Return a pattern that no Latin letter touches: a date may stand before it without a blank."""
    return re.compile(rf"(?<![A-Za-z])(?:{pattern})(?![A-Za-z])", re.IGNORECASE)


def _digits(pattern: str) -> re.Pattern[str]:
    """Return a pattern that no digit touches."""
    return re.compile(rf"(?<!\d)(?:{pattern})(?!\d)", re.IGNORECASE)


def _chinese(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


#: What takes part in a role, as evidence for it. The first that matches a place takes it out.
ROLES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ccd", _letters(rf"ccds?\d?|critical{SEP}current(?:{SEP}densit(?:y|ies))?|crit{SEP}current")),
    ("ccd", _chinese("(?:临界|极限)电流(?:密度)?")),
    ("long-cycling", _letters(rf"long{SEP}(?:term{SEP})?(?:cycl(?:e|es|ing)|galvanostatic)|lt{SEP}cycling|longterm")),
    ("long-cycling", _letters(rf"(?:li{SEP})?(?:plating|stripping)(?:{SEP}(?:and{SEP})?(?:plating|stripping))?")),
    ("long-cycling", _chinese("长(?:期|时间)?循环|恒流循环|沉积(?:/|-)?(?:剥离|溶解)")),
    ("full-cell", _letters(rf"full{SEP}cells?|vollzellen?")),
    ("full-cell", re.compile(r"(?<![^\s_])FC(?![^\s_])")),
    ("symmetric", re.compile(r"(?<![^\s_])SC(?![^\s_])")),
    ("full-cell", _chinese("全电池|全固态电池")),
    ("symmetric", _letters(rf"sym(?:m(?:etric(?:al)?)?)?(?:{SEP}cells?)?|symmetrie(?:zellen?)?|li{SEP}li")),
    ("symmetric", _chinese("(?:锂)?对称(?:锂)?(?:电池)?")),
    ("rate", _letters(rf"rate(?:{SEP}(?:capability|performance|test))?|c{SEP}rates?")),
    ("rate", _chinese("倍率(?:性能)?")),
    ("interface", _letters(r"interfac(?:e|es|ial)")),
    ("interface", _chinese("界面(?:阻抗|电阻)?")),
    ("conductivity", _letters(rf"(?:ionic{SEP})?conductivit(?:y|ies)|sigma|ionic|ion{SEP}blocking|blocking")),
    ("electronic", _letters(rf"electronic(?:{SEP}conductivity)?|dc{SEP}pol(?:ari[sz]ation)?|hebb{SEP}wagner")),
    ("electronic", _chinese("电子电导率?|直流极化")),
    ("conductivity", _chinese("(?:离子)?电导率?|阻塞电极")),
    (
        "arrhenius",
        _letters(rf"arrhenius|temp(?:erature)?{SEP}(?:dep(?:endent|endence)?|series|sweep)|activation{SEP}energy"),
    ),
    ("arrhenius", _chinese("变温|活化能|阿伦尼乌斯")),
    ("lithium", _letters(rf"li(?:thium)?{SEP}(?:foil|metal)|lithium")),
    ("lithium", _chinese("锂片|锂箔|金属锂|锂金属")),
    ("instrument", _letters(rf"standards?|srm{SEP}\d+[a-z]?|instrument(?:al)?{SEP}(?:broadening|profile|standard)")),
    ("instrument", _chinese("标样|标准样品|标准硅")),
    ("neon", _letters(rf"neon(?:{SEP}lamp)?|ne{SEP}lamp|lamp")),
    ("neon", _chinese("氖灯|氖")),
)
#: Techniques, as evidence where a file does not say what its numbers are.
TECHNIQUES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("eis", _letters(rf"[pgs]?eis\d?|impedances?|nyquist|a\.?c\.?{SEP}impedance")),
    ("eis", _chinese("(?:交流)?阻抗谱?")),
    ("xrd", _letters(r"g?ixrds?|p?xrds?|diffraction|diffractograms?")),
    ("xrd", _chinese("(?:X射线)?衍射")),
    ("xps", _letters(r"xps|photoelectrons?|esca|ups")),
    ("xps", _chinese("(?:X射线)?光电子能?谱?")),
    ("raman", _letters(r"raman")),
    ("raman", _chinese("拉曼(?:光谱)?")),
    ("dc", _letters(rf"dc|i{SEP}t(?:{SEP}curve)?|amperometr(?:y|ic)|chronoamperometry")),
    ("cycling", _letters(rf"cycling|gcpl\d?|gcd|cycler|electrochem(?:istry|ical)?|galvanostatic|charge{SEP}discharge")),
    ("cycling", _chinese("充放电|恒电流|循环(?:性能|测试|数据)|电化学")),
    ("energies", _letters(r"energies|dft|calculations?")),
)
#: Short names of techniques that may touch other letters: "LLZXRD".
TOUCHING = (
    ("xrd", re.compile("XRD")),
    ("xps", re.compile("XPS")),
    ("eis", re.compile("[PG]?EIS")),
    ("raman", re.compile("Raman")),
)
#: Dates and channels, the speed of a scan, and what else belongs neither to the sample nor to its state.
DATES: tuple[re.Pattern[str], ...] = (
    _digits(
        r"(?:19|20)\d\d[.\-_/]?(?:0[1-9]|1[0-2])[.\-_/]?(?:0[1-9]|[12]\d|3[01])(?:[T\-_]?[0-2]\d[.\-_:]?[0-5]\d(?:[.\-_:]?[0-5]\d)?(?![A-Za-z°\d]))?"
    ),
    _digits(r"(?:19|20)\d\d[.\-_]\d{1,2}[.\-_]\d{1,2}"),
    _digits(r"[0-3]?\d[.\-_]?(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[.\-_]?(?:20)?\d\d"),
    _digits(r"[12]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"),
    _word(r"0[1-9](?:0[1-9]|[12]\d|3[01])"),
    _word(r"(?:(?:19|20)\d\d)?[\-_]?(?:w|kw|cw|week)\d{1,2}"),
    _word(r"(?:19|20)\d\d"),
    _chinese(r"(?:(?:20)?\d\d年)?\d{1,2}月(?:\d{1,2}[日号])?|(?:20)\d\d年"),
    _word(rf"ch(?:an(?:nel)?)?{SEP}\d+(?:[\-_]\d+)*|c[a-h]?\d\d|c[a-h]\d"),
    _chinese(r"通道\s*[\-_]?\d+(?:[\-_]\d+)*"),
)
SPEED = _word(rf"{NUMBER}{SEP}(?:deg|°){SEP}(?:per|/)?{SEP}min")
NOISE: tuple[re.Pattern[str], ...] = (
    _word(
        rf"(?:{NUMBER}{SEP}(?:to|\-)?{SEP})?{NUMBER}{SEP}(?:nm|kv|mv|ev|v|[mk]?hz|s|sec|min|hrs?|hours?|h|mg|um|µm|μm|mm|cm|[mg]pa|wt%|at%|mol%|mw|mwh|mah|x|%)"
    ),
    _chinese(r"\d+(?:\.\d+)?(?:小时|分钟|秒|毫克|微米|毫米|天)"),
    _word(r"[A-Z][a-z]?\s?\d[spdf](?:\d\-?/?2)?"),
    _word(
        "data|raw|rawdata|exports?|exported|measurements?|measured|meas|tests?|results?|new|final|copy|files?|projects?|papers?|"
        r"fig(?:ure)?{SEP}s?\d+(?:\.\d+)*[a-z]?|lab|notebook|page|p\d+|cells?|zellen?|coin|cr20\d\d|swagelok|pellets?|samples?|specimens?|spectr(?:um|a)|patterns?|"
        r"scans?|(?:run|trial|exp|try|file|meas|no|nr|batch|v){SEP}\d+|run|channel|ocv|rest|survey|wide|region|regions|bulk|operator|user|student|group|team|folder|old|"
        r"synthetic|simulated|tmp|misc|thesis|chapter\s?\d*|section\s?\d*|various|backup|with|of|and|the|for|from|by|vs|"
        r"c\d{1,4}|chi\d*[a-z]?|biologic|neware|landt?|landdt|arbin|maccor|basytec|gamry|rigaku|bruker|smartlab|escalab|avantage|horiba|labram|"
        r"renishaw|thermo|dxr|panalytical|empyrean|aeris|cu|ka|kalpha|al{SEP}ka|theta|2theta|"
        r"mon|tue|wed|thu|fri|sat|sun|week\d*|day\d*|jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|not|specified|commander|sample{SEP}id|id|as{SEP}loaded|loaded|"
        r"single|unnamed|unknown|untitled|default".replace("{SEP}", SEP)
    ),
    _chinese(
        "数据|测试|原始数据|原始|导出|结果|文件夹?|备份|新建|扣式电池|电池|样品|试样|实验室?|项目|课题组?|表面|谱图|图谱|曲线|陶瓷片?|片"
    ),
)
SURFACE = (_word(r"surfaces?"), _word(r"phases?"))
#: Which of these may be a condition, as those with a number may.
MEANING = re.compile(r"(?i)old|new|wide|bulk|single")
#: Words for a surface or a powder that was cycled.
CYCLED = (
    _word(rf"(?:after|post){SEP}cycl(?:e|es|ing)|cycled|post{SEP}mortem|aged"),
    _chinese("循环之?后|拆解(?:后)?"),
)
CYCLES = (
    _word(rf"(?P<after>after{SEP})?cyc(?:les?)?{SEP}(?:no\.?|#|n)?{SEP}(?P<n>\d+)"),
    _word(rf"(?P<after>after{SEP})?(?P<n>\d+)(?:st|nd|rd|th)?{SEP}cyc(?:les?|s)?"),
    _word(r"(?P<n>\d+)(?:st|nd|rd|th)"),
    _chinese(r"(?:循环)?第?\s*(?P<n>\d+)\s*[圈周](?P<after>之?后)?"),
    _chinese(r"循环\s*(?P<n>\d+)\s*次?(?P<after>之?后)?|(?P<m>\d+)\s*次循环(?P<later>之?后)?"),
)
TEMPERATURES = (
    re.compile(
        rf"(?P<sign>(?:^|(?<=[\s_(,/{CUT}]))-|minus{SEP}|负)?(?<![\d.])(?P<n>{NUMBER}){SEP}(?:°\s?C|deg{SEP}C(?![a-z])|deg(?:rees?)?(?![a-z])|°|celsius|摄氏度|度)",
        re.IGNORECASE,
    ),
)
BARE_CELSIUS = re.compile(rf"(?P<sign>(?:^|(?<=[\s_(,/{CUT}]))-)?(?<![\dA-Za-z.])(?P<n>{NUMBER})C(?![A-Za-z0-9])")
#: "c50": a channel, or a cycle.
NUMBERED_C = _word(r"c(?P<n>\d{1,4})")
KELVIN = _word(r"(?P<n>[1-9]\d\d(?:\.\d+)?)\s?K")
CURRENTS = re.compile(
    rf"(?<![\dA-Za-z.])(?P<n>{NUMBER}){SEP}(?P<unit>mA|uA|µA|μA)(?:{SEP}(?P<area>(?:/|per)?{SEP}cm{SEP}\^?-?2|每平方厘米))?(?![A-Za-z0-9])",
    re.IGNORECASE,
)
#: A number or a letter of a cell; the "s" of "cells" is none.
MARK = r"\d{1,3}|(?<![A-Za-z])[A-Z]|(?<=[A-Za-z])[A-RT-Z]"
REPLICATES = (
    _word(rf"(?:coin{SEP})?(?:cells?|zellen?){SEP}(?:no\.?|nr\.?|#)?{SEP}(?P<n>{MARK})"),
    _word(
        rf"(?:rep(?:l(?:icate)?|eat)?|duplicate|pellet|specimen|spot|point|pos(?:ition)?|disc|disk){SEP}(?:no\.?|#)?{SEP}(?P<n>{MARK})"
    ),
    re.compile(rf"(?<![\dA-Za-z])(?:no\.{SEP}|nr\.{SEP})(?P<n>\d{{1,3}})(?![\dA-Za-z])", re.IGNORECASE),
    re.compile(r"#\s*(?P<n>\d{1,3})(?!\d)|(?<![\dA-Za-z.])(?P<m>\d{1,3})#"),
    _chinese(
        r"(?P<n>\d{1,3})\s*号\s*(?:扣式)?(?:电池|样品?|片|点)?|(?:电池|平行样?|第)\s*(?P<m>\d{1,3}|[A-Z](?![A-Za-z]))\s*(?:号|个(?:电池|样品?|点)?|[片只颗])?"
    ),
    re.compile(r"\((?P<n>\d{1,2})\)\s*$"),
)
SAMPLE = re.compile(
    rf"(?<![A-Za-z0-9])(?:sample|specimen){SEP}(?P<n>{MARK})(?![A-Za-z0-9])|样品?\s*[\-_]?(?P<m>\d{{1,3}}|[A-Z](?![A-Za-z]))",
    re.IGNORECASE,
)
STATES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("before sintering", _word(rf"(?:before|pre){SEP}sinter(?:ing|ed)?|green|unsintered")),
    ("after sintering", _word(rf"(?:after|post){SEP}sinter(?:ing|ed)?|sintered")),
    ("before reaction", _word(rf"before{SEP}reaction")),
    ("after reaction", _word(rf"after{SEP}reaction|reacted")),
    ("before cycling", _word(rf"before{SEP}cycling|uncycled|pre{SEP}cycling")),
    ("pristine", _word(rf"pristine|fresh|as{SEP}(?:prepared|made|received|assembled|is)|initial")),
    ("before sintering", _chinese("(?:烧结前|未烧结)")),
    ("after sintering", _chinese("烧结后")),
    ("before reaction", _chinese("反应前")),
    ("after reaction", _chinese("反应后")),
    ("before cycling", _chinese("循环前|未循环")),
    ("pristine", _chinese("新鲜|初始|原样")),
    ("end of discharge", _word(rf"end{SEP}of{SEP}discharg(?:e|ing)")),
    ("end of charge", _word(rf"end{SEP}of{SEP}charg(?:e|ing)")),
    ("at rest", _word(rf"at{SEP}rest")),
    ("discharged", _word(rf"(?:fully{SEP})?discharged")),
    ("charged", _word(rf"(?:fully{SEP})?charged")),
    ("discharged", _chinese("放电[态后]")),
    ("charged", _chinese("充电[态后]")),
    ("before", _word("before")),
    ("after", _word("after")),
    ("before", _chinese("之前|前(?=$|[^面])")),
    ("after", _chinese("之后|后(?=$|[^面])")),
)
#: The last of these are short: they are taken out after the techniques.
LATE_STATES = -4
#: Electrodes, between two of which stands the electrolyte.
ELECTRODES = r"Li|Au|Pt|SS|Ag|In|Cu|InLi|LiIn|Li-?In|LFP|LiFePO4|LCO|LiCoO2|NC[MA]\d*|NMC\d*|LNMO|LMO|Gr|graphite"
#: Active materials and electrodes in a name beside a sample.
CATHODES = re.compile(r"(?i)(LFP|LiFePO4|LCO|LiCoO2|NC[MA]\d*|NMC\d*|LNMO|LMO)")
BLOCKING = re.compile(r"(?i)(Au|Pt|SS|Ag)")
BETWEEN = re.compile(
    rf"(?<![A-Za-z0-9])(?P<one>{ELECTRODES})\s*[-_/|∣｜]\s*(?P<mid>\w.*?)\s*[-_/|∣｜]\s*(?P<two>{ELECTRODES})(?![A-Za-z0-9])"
)


#: An electrode behind the sample, with a blank between them: "LLZ LFP".
BESIDE = re.compile(
    r"(?<=[^\W_])[\s_]+(?P<one>Li|Au|Pt|SS|LFP|LiFePO4|LCO|LiCoO2|NC[MA]\d*|NMC\d*|LNMO)(?![A-Za-z0-9\-@])"
)


#: Words that number, or say that there is one more.
COUNTING = re.compile(
    r"(?i)first|second|third|fourth|fifth|one|two|three|four|five|others?|more|again|another|extra|repeat(?:ed)?|"
    r"rep|dup(?:licate)?|replicates?|i{1,3}|iv|再次|重复|平行|另"
)
#: Brackets in a formula: "La(OH)3".
IN_FORMULA = re.compile(r"(?<=[A-Za-z\d])\((?P<inner>[A-Za-z\d.]+)\)(?=[\dA-Z])")


@dataclass
class Part:
    """A part of a path, or a field of a header, after all known words were taken out.

    Attributes
    ----------
    text : str
        What remains, with `CUT` where something was taken out.
    roles, techniques : set of str
        Roles (and "symmetric", "neon") and techniques that it names.
    cycle : int or None
        Number of a cycle.
    celsius : float or None
        Temperature.
    bare_c : float or None
        Number with C, a temperature or a C rate: "2C".
    numbered_c : int or None
        Number behind a C, a channel or a cycle: "c50".
    current : str
        Current or current density with its unit.
    replicate : str
    states : list of str
    is_cycled : bool
    explicit_sample : str
        "sample A".
    conditions : list of str
        Quantities with their units, electrodes and speeds, which may be the condition of a test: "20 um", "LFP".
    marks : list of str
        Words of no sample that may be one too: "batch1", "new".
    """

    text: str
    roles: set[str] = field(default_factory=set)
    techniques: set[str] = field(default_factory=set)
    cycle: int | None = None
    celsius: float | None = None
    bare_c: float | None = None
    numbered_c: int | None = None
    current: str = ""
    replicate: str = ""
    states: list[str] = field(default_factory=list)
    is_cycled: bool = False
    explicit_sample: str = ""
    conditions: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)


def part(name: str) -> Part:
    """Take the known words out of a name."""
    found = Part(unicodedata.normalize("NFKC", name))

    def cut(pattern: re.Pattern[str]) -> re.Match[str] | None:
        matches = list(pattern.finditer(found.text))
        if not matches:
            return None
        last = matches[-1]
        found.text = pattern.sub(CUT, found.text)
        return last

    def group(match: re.Match[str], *names: str) -> str:
        return next((match.groupdict()[name] for name in names if match.groupdict().get(name)), "")

    if match := BETWEEN.search(found.text):
        one, two = match["one"], match["two"]
        found.conditions.append(f"{one}/{two}")
        if CATHODES.fullmatch(one) or CATHODES.fullmatch(two):
            found.roles.add("full-cell")
        elif BLOCKING.fullmatch(one) and BLOCKING.fullmatch(two):
            found.roles.add("conductivity")
        elif one == two:
            found.roles.add("symmetric")
        found.text = found.text[: match.start()] + CUT + match["mid"] + CUT + found.text[match.end() :]
    if match := NUMBERED_C.search(found.text):
        found.numbered_c = int(match["n"])
    for pattern in DATES:
        cut(pattern)
    for pattern in CYCLES:
        if match := cut(pattern):
            found.cycle = int(group(match, "n", "m"))
            found.is_cycled |= bool(group(match, "after", "later"))
    for name, state in STATES[:LATE_STATES]:
        if cut(state):
            found.states.append(name)
    for pattern in CYCLED:
        found.is_cycled |= cut(pattern) is not None
    cut(SPEED)
    if match := cut(CURRENTS):
        unit = {"ma": "mA", "ua": "µA"}[match["unit"].casefold().replace("µ", "u").replace("μ", "u")]
        found.current = f"{_number(match['n']):g} {unit}" + ("/cm2" if match["area"] else "")
    for pattern in TEMPERATURES:
        if match := cut(pattern):
            found.celsius = _number(match["n"]) * (-1 if match["sign"] else 1)
    if match := cut(KELVIN):
        found.celsius = round(_number(match["n"]) - 273.15, 2)
    if match := cut(BARE_CELSIUS):
        found.bare_c = _number(match["n"]) * (-1 if match["sign"] else 1)
    for pattern in REPLICATES:
        if match := cut(pattern):
            found.marks += [f"cell{found.replicate}"] if found.replicate else []
            found.replicate = group(match, "n", "m").lstrip("0") or "0"
    if match := cut(SAMPLE):
        found.explicit_sample = group(match, "n", "m")
    beside = [match["one"] for match in BESIDE.finditer(found.text)]
    if match := cut(BESIDE):
        found.conditions += beside
        found.roles |= {"full-cell"} if CATHODES.fullmatch(match["one"]) else set()
    for name, role in ROLES:
        if cut(role):
            found.roles.add(name)
    for name, technique in (*TECHNIQUES, *TOUCHING):
        if cut(technique):
            found.techniques.add(name)
    for name, state in STATES[LATE_STATES:]:
        if cut(state):
            found.states.append(name)
    found.conditions += [match[0].strip() for of in NOISE[:2] for match in of.finditer(found.text)]
    said = [match[0] for match in NOISE[3].finditer(found.text)]
    found.marks += [re.sub(r"[\s_\-]+", "", one) for one in said if MEANING.fullmatch(one) or one[-1].isdigit()]
    for pattern in (*NOISE, *SURFACE):
        cut(pattern)
    return found


def _number(text: str) -> float:
    return float(text.replace("p", "."))


def pieces(text: str) -> list[list[str]]:
    """Return the runs of words that remain of a part, each as its words.

    A hyphen binds closest, then a blank, then an underscore, as far as they stand in the name: "zhang_RT-MCL-LLZ" is
    two runs, "RT_MCL_LLZ" is one.
    """
    runs: list[list[str]] = []
    text = IN_FORMULA.sub("\ue000\\g<inner>\ue001", text)
    for span in re.split(rf"[{CUT}()\[\]{{}}（）【】,;:&/|!'\"]+", text):
        for same in re.split(rf"(?<=[{CJK}])(?=[^{CJK}])|(?<=[^{CJK}])(?=[{CJK}])", span):
            # "3-7" is a channel, not a word with a hyphen.
            joined = re.sub(r"(?<![^\s_])\d+(?:[\-.]\d+)*(?![^\s_])", "", same).strip(" _-.+~=#@")
            outer = r"[\s_]+" if re.search(r"\w[\-@]+\w", joined) else r"_+" if re.search(r"\s", joined) else r"$"
            for chunk in re.split(outer, same):
                chunk = chunk.replace("\ue000", "(").replace("\ue001", ")")
                words = [word for word in re.split(r"[\s_\-@]+", chunk) if word.strip(".+~=#")]
                if words:
                    runs.append(words)
    return runs
