"""Help is quick: nothing heavy is imported before a command needs it."""

import os
import subprocess
import sys

import pytest

LIMIT = 0.5
"""CPU time of `insonate --help` [s]."""
HEAVY = {
    "numba",
    "onnxruntime",
    "torch",
    "pydicom",
    "h5py",
    "av",
    "PIL",
    "scipy",
    "fastapi",
    "uvicorn",
    "pydantic",
}


@pytest.mark.skipif(not hasattr(os, "wait4"), reason="this system does not tell a child's CPU time")
def test_help_costs_less_than_half_a_second_of_cpu():
    def cpu_time() -> float:
        child = subprocess.Popen(
            [sys.executable, "-m", "insonate", "--help"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        complaint = child.stderr.read().decode()
        child.stderr.close()
        assert child.returncode == 0, complaint
        return used.ru_utime + used.ru_stime

    # The best of five: a busy machine adds time, it never takes any away; the first may also compile byte-code.
    assert min(cpu_time() for _ in range(5)) < LIMIT


def test_help_imports_nothing_heavy():
    code = (
        "import sys; sys.argv = ['insonate', '--help']\n"
        "from insonate.app.cli import main\n"
        "try: main()\nexcept SystemExit: pass\n"
        "print('\\n' + ' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.splitlines()[-1].split())
