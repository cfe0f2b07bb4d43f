"""Sample, state and replicate of recordings, from what varies between the names of files and folders and what does not.

`words` takes all known words out of the names. What remains are candidates for the sample. A sample comes back under
several techniques; the name of an operator or of a project stands in all files; a running number stands in one. Each
file takes its best candidate, and two spellings of one name ("RT_MCL_LLZ", "RT-MCL-LLZ") are one sample.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from coldbond.cli import words
from coldbond.cli.look import Look

#: Weights of what speaks for a candidate. Only their order matters: a known sample, then a word that looks like the
#: name of a material, then what the header calls the sample, then how many techniques know it.
KNOWN, MATERIAL, HEADER, TECHNIQUE, SEVERAL, STEM, WORDS = 8.0, 4.0, 1.5, 1.0, 0.5, 0.6, 0.4
#: What speaks against it: it stands in nearly all files, in one file alone while another candidate stands in several,
#: or it is one of a series of running numbers; a little less where several techniques have the number, as of specimens.
EVERYWHERE, ALONE, SERIAL, SPECIMEN = -3.0, -0.3, -2.5, -0.5
#: It stands in nearly all files of a technique, as the name of a folder does, and another candidate does not.
SAME = -5.0
#: Most words of a sample in a header; a longer title lists settings.
MOST_WORDS = 5
#: Share of the files above which a candidate stands in all of them.
NEARLY_ALL = 0.8
#: Different numbers of one form ("B07", "WL-017") that are a series.
LEAST_SERIES = 4
#: Techniques that measure the same cell; a sample is measured by others too.
OF_CELLS = {"eis": "cell", "cycling": "cell", "dc": "cell"}
#: Extensions of exports that stand before another one.
DOUBLE = re.compile(r"(?i)\.(bdf|converted|rasx|ras|mpr|mpt)$")
#: A word that could be anybody's name: lower case, or one capital and then lower case; or Chinese.
PLAIN = re.compile(rf"[a-z]+|[A-Z][a-z]{{2,}}(?:[A-Z][a-z]+)*|[{words.CJK}]+")
#: Symbols of the elements, which may name a sample.
ELEMENTS = re.compile(
    "A[cglmrstu]|B[aeihkr]?|C[adeflmorsu]?|D[bsy]|E[rsu]|F[elmr]?|G[ade]|H[efgos]?|I[nr]?|Kr?|L[airuv]|M[dgnot]|"
    "N[abdeiop]?|Os?|P[abdmortu]?|R[abefghnu]|S[bcegimnr]?|T[abcehilm]|U|V|W|Xe|Yb?|Z[nr]"
)
#: A code of a cell or a specimen: letters and a number.
CODE = re.compile(r"[A-Za-z]{1,3}\d{1,4}")
#: One that may number the cells of a sample.
SHORT_CODE = re.compile(r"[A-Za-z]{1,2}\d{1,2}")
#: Signs that number the cells of one sample at the end of its name.
SUFFIX = re.compile(r"\d{1,3}|[A-Fa-f]")
#: A running number in front of a name, or the number of a figure's panel.
NUMBERED = re.compile(r"\d+[a-z]?")
#: A number at the end of a name without its unit, such as the current density of a test.
CONDITION = re.compile(r"\d+[.p]\d+")


@dataclass
class Name:
    """What the names of a file say.

    Attributes
    ----------
    sample : str
        "" where no name holds one.
    is_sure : bool
        Whether the sample is more than a guess from one name.
    replicate : str
    roles, techniques : set of str
        Named nearest to the file.
    cycle, celsius, bare_c, numbered_c, current, states, is_cycled
        As in `words.Part`, nearest to the file.
    words : list of str
        Words of the path that say none of these; the first `lead` of them stand before the sample.
    lead : int
    of_header : list of str
        The same of what the header calls the sample.
    conditions : list of str
        As in `words.Part`, of the whole path.
    series : tuple of str
        What remains of the path: the same for the spectra of one cell over its cycles.
    """

    sample: str = ""
    is_sure: bool = True
    replicate: str = ""
    roles: set[str] = field(default_factory=set)
    techniques: set[str] = field(default_factory=set)
    cycle: int | None = None
    celsius: float | None = None
    bare_c: float | None = None
    numbered_c: int | None = None
    current: str = ""
    states: list[str] = field(default_factory=list)
    is_cycled: bool = False
    words: list[str] = field(default_factory=list)
    lead: int = 0
    of_header: list[str] = field(default_factory=list)
    conditions: list[str] = field(default_factory=list)
    series: tuple[str, ...] = ()


@dataclass
class _Candidate:
    words: tuple[str, ...]
    weight: float
    depth: int = 0  # of its folder, counted from the file; -1 in a header

    @property
    def key(self) -> str:
        return key("".join(self.words))

    @property
    def base(self) -> str:
        """Without the number of a cell at its end."""
        is_numbered = len(self.words) > 1 and SUFFIX.fullmatch(self.words[-1])
        return key("".join(self.words[:-1])) if is_numbered else self.key


def key(sample: str) -> str:
    """Return what two spellings of a sample have in common."""
    return re.sub(r"[\W_]+", "", sample).casefold()


def names(looks: Sequence[Look], known: Iterable[str] = ()) -> list[Name]:
    """Return what the names of each file say.

    Parameters
    ----------
    looks : sequence of Look
        All recordings of the folder.
    known : iterable of str
        Samples that the manifest names already.
    """
    parts = [[words.part(component) for component in _components(look.file)] for look in looks]
    headers = [[words.part(name) for name in look.names] for look in looks]
    found = [_facts(of_path, of_header) for of_path, of_header in zip(parts, headers, strict=True)]
    spelled = {key(sample): sample for sample in known}
    held = [_candidates(*pair) for pair in zip(parts, headers, strict=True)]
    for candidates in held:
        candidates += [known_one for one in candidates for known_one in _within(one, spelled)]
    _split(held)
    _strip(held)
    _split_codes(held)
    chosen = _chosen(looks, held, spelled)
    chosen = _without_suffixes(looks, chosen, found, spelled)
    chosen = _without_folders(looks, chosen, held, spelled)
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for candidate in chosen:
        if candidate:
            spellings[candidate.key]["-".join(candidate.words)] += 1
    for look, of_path, of_header, name, candidate in zip(looks, parts, headers, found, chosen, strict=True):
        _set_words(name, of_path, of_header, candidate)
        explicit = next((one.explicit_sample for one in reversed(of_path) if one.explicit_sample), "")
        if candidate and look.technique == "energies":
            name.sample = _with_version(of_path, candidate)
        elif _is_mixture(of_path[-1]) and not (candidate and candidate.key in spelled):
            name.sample, name.is_sure = _stem(look.file), False
        elif candidate and (candidate.weight >= MATERIAL or not explicit):
            counted = spellings[candidate.key]
            best = min(counted, key=lambda one: (-counted[one], -sum(map(str.isupper, one)), one))
            name.sample = spelled.get(candidate.key, best)
            name.is_sure = candidate.weight >= MATERIAL and not explicit
            # "LLZ sample 1" and "LLZ sample 2" may be two cells or two batches: no average in doubt.
            name.sample += f" sample {explicit}" if explicit else ""
        elif explicit:
            name.sample = f"sample {explicit}"
        else:
            name.sample, name.is_sure = _stem(look.file), False
    return found


def _set_words(
    name: Name, parts: Sequence[words.Part], headers: Sequence[words.Part], candidate: _Candidate | None
) -> None:
    """Keep the words of a path, and of what the header calls the sample, that do not name the sample."""
    own = candidate.words if candidate else ()
    name.words = [mark for part in parts for mark in part.marks]
    # The replicate is that of the last part; another number, of the folder, says more.
    numbered = [part.replicate for part in parts if part.replicate]
    name.words += [f"cell{one}" for one in numbered[:-1]]
    for part in (*parts, *headers):
        runs = [run for run in words.pieces(part.text) if part in parts or len(run) <= MOST_WORDS]
        for word in (word.strip(".+~=#") for run in runs for word in run):
            if word in own:
                name.lead = len(name.words)
            elif not (candidate and len(word) > 1 and key(word) and key(word) in candidate.key):
                (name.words if part in parts else name.of_header).append(word)
        name.conditions += part.conditions if part in parts else []


def _components(file: str) -> list[str]:
    *folders, _ = file.split("/")
    return [*folders, _stem(file)]


def _stem(file: str) -> str:
    stem = re.sub(r"\.[A-Za-z][A-Za-z0-9_]{0,7}$", "", file.rsplit("/", 1)[-1])
    return DOUBLE.sub("", DOUBLE.sub("", stem)) or file


def _facts(parts: list[words.Part], headers: list[words.Part]) -> Name:
    near = [*reversed(parts), *headers]
    name = Name(series=tuple(part.text for part in parts))
    name.roles = next((part.roles for part in near if part.roles), set())
    name.techniques = next((part.techniques for part in near if part.techniques), set())
    for one in ("cycle", "celsius", "bare_c", "numbered_c"):
        setattr(name, one, next((getattr(part, one) for part in near if getattr(part, one) is not None), None))
    for one in ("current", "replicate", "states"):
        setattr(name, one, next((getattr(part, one) for part in near if getattr(part, one)), getattr(name, one)))
    name.is_cycled = any(part.is_cycled for part in near)
    return name


def _candidates(parts: list[words.Part], headers: list[words.Part]) -> list[_Candidate]:
    """Return the runs of words that could name the sample, with what their place speaks for."""
    found = []
    for depth, part in enumerate(reversed(parts)):
        found += [_Candidate(tuple(run), STEM / (1 + depth), depth) for run in words.pieces(part.text)]
    for part in headers:
        runs = words.pieces(part.text)
        found += [_Candidate(tuple(run), HEADER, -1) for run in runs if len(run) <= MOST_WORDS]
    for one in found:
        one.words = _without_numbers(one.words)
    return [one for one in found if not all(map(words.COUNTING.fullmatch, one.words))]


def _within(candidate: _Candidate, known: dict[str, str]) -> list[_Candidate]:
    """Return the samples of the manifest that are a part of a candidate."""
    run = candidate.words
    spans = [run[i:j] for i in range(len(run)) for j in range(i + 1, len(run) + 1) if j - i < len(run)]
    return [replace(candidate, words=span) for span in spans if key("".join(span)) in known]


def _without_numbers(run: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out running numbers: those in front, and two and more at the end."""
    run = tuple(word.strip(".+~=#") for word in run)
    while run and NUMBERED.fullmatch(run[0]):
        run = run[1:]
    if len(run) > 2 and run[-1].isdigit() and run[-2].isdigit():
        while run[-1].isdigit():
            run = run[:-1]
    return run


def _split(held: list[list[_Candidate]]) -> None:
    """Split candidates at plain words that stand beside several samples: operators, and words for a measurement."""
    beside: dict[str, set[str]] = defaultdict(set)
    for candidates in held:
        for depth in {one.depth for one in candidates if one.depth >= 0}:
            held_words = {word for one in candidates if one.depth == depth for word in one.words}
            plain = {word for word in held_words if PLAIN.fullmatch(word)}
            material = "".join(sorted(word for word in held_words - plain if _is_material([word])))
            for word in plain if material else ():
                beside[word].add(material)
    gone = {word for word, samples in beside.items() if len(samples) > 1}
    for candidates in held:
        parts = []
        for one in candidates:
            runs = [tuple(run) for is_gone, run in groupby(one.words, key=lambda word: word in gone) if not is_gone]
            kept = [run for run in map(_without_numbers, runs) if run]
            parts += [replace(one, words=run) for run in kept] if any(map(_is_material, kept)) else [one]
        candidates[:] = parts


def _strip(held: list[list[_Candidate]]) -> None:
    """Take the words at the ends of candidates out that stand in all files, as those of a project do."""
    for place in (0, -1):
        while True:
            after: dict[str, set[str]] = defaultdict(set)
            files: dict[str, set[int]] = defaultdict(set)
            for number, candidates in enumerate(held):
                for one in candidates:
                    rest = one.words[1:] if place == 0 else one.words[:-1]
                    files[one.words[place]].add(number)
                    if rest and _is_material(rest):
                        after[one.words[place]].add(key("".join(rest)))
            everywhere = {word for word, where in files.items() if len(where) == len(held) and len(held) > 2}
            gone = {word for word in everywhere if len(after[word]) > 1 and _leaves_all(held, word, place)}
            if not gone:
                break
            for candidates in held:
                for one in candidates:
                    if len(one.words) > 1 and one.words[place] in gone:
                        one.words = one.words[1:] if place == 0 else one.words[:-1]


def _split_codes(held: list[list[_Candidate]]) -> None:
    """Split off a code of a series that stands in front of a material: "S01 LLZ" has two names."""
    forms: dict[str, set[str]] = defaultdict(set)
    for candidates in held:
        for one in candidates:
            if CODE.fullmatch(one.words[0]):
                forms[re.sub(r"\d+", "0", one.words[0])].add(one.words[0])
    codes = {code for found in forms.values() if len(found) >= LEAST_SERIES for code in found}
    for candidates in held:
        for one in [one for one in candidates if len(one.words) > 1 and one.words[0] in codes]:
            if _is_material(one.words[1:]):
                candidates.append(replace(one, words=one.words[:1]))
                one.words = one.words[1:]


def _leaves_all(held: list[list[_Candidate]], word: str, place: int) -> bool:
    """Return whether each file with a word keeps a candidate that looks like a material once the word is gone."""
    for candidates in held:
        touched = [one for one in candidates if one.words[place] == word]
        kept = [one.words[1:] if place == 0 else one.words[:-1] for one in touched]
        others = [one.words for one in candidates if one not in touched]
        if touched and not any(rest and _is_material(rest) for rest in [*kept, *others]):
            return False
    return True


def _is_material(run: Sequence[str]) -> bool:
    """Return whether a name looks like that of a material: capitals, or letters with digits."""
    return any(
        (sum(map(str.isupper, word)) > 1 and not PLAIN.fullmatch(word))
        or (re.search(r"[A-Za-z]", word) and re.search(r"\d", word))
        or ELEMENTS.fullmatch(word)
        for word in run
    )


def _chosen(looks: Sequence[Look], held: list[list[_Candidate]], known: dict[str, str]) -> list[_Candidate | None]:
    files: dict[str, set[str]] = defaultdict(set)
    techniques: dict[str, set[str]] = defaultdict(set)
    for look, candidates in zip(looks, held, strict=True):
        for one in candidates:
            files[one.key].add(look.file)
            techniques[one.key].add(look.technique)
    total = len({look.file for look in looks})
    of_technique: dict[str, set[str]] = defaultdict(set)
    holding: dict[tuple[str, str], set[str]] = defaultdict(set)
    for look, candidates in zip(looks, held, strict=True):
        of_technique[look.technique].add(look.file)
        for one in candidates:
            holding[look.technique, one.base].add(look.file)
    forms: dict[str, set[str]] = defaultdict(set)
    for held_key in files:
        forms[re.sub(r"\d+", "0", held_key)].add(held_key)
    numbered = {one for form, keys in forms.items() if "0" in form and len(keys) >= LEAST_SERIES for one in keys}
    serial = {one for one in numbered if len({OF_CELLS.get(of, of) for of in techniques[one]}) == 1}
    chosen: list[_Candidate | None] = []
    for look, candidates in zip(looks, held, strict=True):
        best: _Candidate | None = None
        all_of_it = NEARLY_ALL * len(of_technique[look.technique])
        constant = {one.base for one in candidates if len(holding[look.technique, one.base]) > all_of_it}
        varies = any(
            len(holding[look.technique, one.base]) > 1
            and one.base not in constant
            and one.key not in serial
            and not all(map(SHORT_CODE.fullmatch, one.words))
            for one in candidates
        )
        keys = {one.key for one in candidates}
        several = any(1 < len(files[one]) < total for one in keys)
        for one in candidates:
            weight = one.weight + MATERIAL * _is_material(one.words) + WORDS * min(2, len(one.words) - 1)
            weight += TECHNIQUE * min(2, len(techniques[one.key]) - 1) + SEVERAL * (len(files[one.key]) > 1)
            weight += KNOWN * (one.key in known)
            weight += SAME * (varies and one.base in constant and len(of_technique[look.technique]) > 2)
            if len(keys) > 1 and total > 2:
                weight += EVERYWHERE * (len(files[one.key]) > NEARLY_ALL * total)
                weight += ALONE * (len(files[one.key]) == 1 and several)
                weight += SERIAL if one.key in serial else SPECIMEN if one.key in numbered else 0.0
            if best is None or weight > best.weight:
                best = replace(one, weight=weight)
        chosen.append(best)
    return chosen


def _with_version(parts: list[words.Part], candidate: _Candidate) -> str:
    """Return the name of a model with what follows it, its version: "CHGNet 0.3.0"."""
    for part in reversed(parts):
        held = [word for run in words.pieces(part.text) for word in run]
        if candidate.words[0] in held:
            rest = held[held.index(candidate.words[0]) :]
            return " ".join(word for word in rest if word == rest[0] or not PLAIN.fullmatch(word))
    return "-".join(candidate.words)


def _without_folders(
    looks: Sequence[Look], chosen: list[_Candidate | None], held: list[list[_Candidate]], known: dict[str, str]
) -> list[_Candidate | None]:
    """Drop a plain word of a folder as the sample where the file has other words and the folder other samples."""
    within: dict[str, set[str]] = defaultdict(set)
    for look, one in zip(looks, chosen, strict=True):
        for folder in look.file.split("/")[:-1]:
            within[folder].add(one.key if one else "")
    result: list[_Candidate | None] = []
    for look, one, candidates in zip(looks, chosen, held, strict=True):
        is_plain = one and one.depth > 0 and one.key not in known and not _is_material(one.words)
        has_words = any(other.depth == 0 for other in candidates)
        folder = look.file.split("/")[-1 - one.depth] if one else ""
        result.append(None if is_plain and has_words and len(within[folder]) > 1 else one)
    return result


def _is_mixture(part: words.Part) -> bool:
    """Return whether a name gives the amounts of several materials: "Li2CO3_0p9-ZrO2_0p1"."""
    held = [word for run in words.pieces(part.text) for word in run]
    kinds = ["0" if CONDITION.fullmatch(word) else "A" if _is_material([word]) else "-" for word in held]
    return "A0A" in "".join(kinds)


def _without_suffixes(
    looks: Sequence[Look], chosen: list[_Candidate | None], found: list[Name], known: dict[str, str]
) -> list[_Candidate | None]:
    """Take a number or letter at the end of a sample as that of a cell, where only one technique has several of them.

    Where several techniques tell "LLZ-1" from "LLZ-2", they are two samples.
    """
    suffixes: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for look, one in zip(looks, chosen, strict=True):
        if one and len(one.words) > 1 and SUFFIX.fullmatch(one.words[-1]):
            suffixes[key("".join(one.words[:-1]))][look.technique].add(one.words[-1].casefold())
    alone = {one.key for one in chosen if one}
    result: list[_Candidate | None] = []
    for one, name in zip(chosen, found, strict=True):
        result.append(one)
        if one and len(one.words) > 1 and SUFFIX.fullmatch(one.words[-1]) and one.key not in known:
            base = key("".join(one.words[:-1]))
            by_technique = suffixes[base]
            if len(by_technique) == 1 and max(map(len, by_technique.values())) > 1:
                name.replicate = name.replicate or one.words[-1].lstrip("0") or "0"
                result[-1] = replace(one, words=one.words[:-1])
        elif one and CONDITION.fullmatch(one.words[-1]) and key("".join(one.words[:-1])) in alone - known.keys():
            result[-1] = replace(one, words=one.words[:-1])
    return result
