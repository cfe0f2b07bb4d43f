"""2 000 mutated files of all formats give values or a `ReadError`, within 10 s and 2 GB (`make fuzz`: 30 000)."""

import random

import pytest

import fuzz
import samples

CASES = 1000


def test_mutated_files_give_a_value_or_a_read_error():
    table, failures = fuzz.table(14, CASES)
    assert not failures, "\n".join(failures[:20]) + "\n(python tests/fuzz.py case SEED NUMBER reads one again)"
    total = table.strip().split("\n")[-1]
    assert sum(int(cell) for cell in total.split("|")[2:-1] if cell.strip()) == CASES


def test_a_case_is_always_the_same_file():
    data = samples.samples()["Rigaku .rasx"][0].data
    files = [fuzz.mutated(data, random.Random("14 3")) for _ in range(2)]
    assert files[0] != data
    assert fuzz.mutated(b"1,2\n3,4\n", random.Random("1 2")) == fuzz.mutated(b"1,2\n3,4\n", random.Random("1 2"))


@pytest.mark.parametrize("failure", ["exit", "hang"])
def test_a_worker_that_ends_or_hangs_is_counted(monkeypatch, tmp_path, failure):
    """The worker is replaced by a program that fails at case 2 and reads all others."""
    program = tmp_path / "worker.py"
    program.write_text(
        "import os, sys, time\n"
        "seed, start, stop, step = map(int, sys.argv[2:])\n"
        "print('null', flush=True)\n"
        "for case in range(start, stop, step):\n"
        f"    if case == 2: {'os._exit(134)' if failure == 'exit' else 'time.sleep(60)'}\n"
        """    print(f'[{case}, "refused", ""]', flush=True)\n"""
    )
    monkeypatch.setattr(fuzz, "__file__", str(program))
    monkeypatch.setattr(fuzz, "SILENCE", 4)
    outcomes = {case: outcome for case, outcome, _ in fuzz.run(1, 8)}
    assert outcomes == dict.fromkeys(range(8), "refused") | {2: "abort" if failure == "exit" else "hang"}
