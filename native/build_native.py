"""Compile the kernels into src/insonate_native: with the machine's compiler, else with the clang inside PyPI's `ziglang`.

A plain library for ctypes, without the C++ standard library: no Python headers, no CMake, seconds to build. Run it as a
script, or let the wheel's build hook do so. Every compiler is tried until one builds all of it; $CC comes first.
"""

import argparse
import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).resolve().parent
LIBRARY = (
    HERE / "src" / "insonate_native" / ("libinsonate.dylib" if sys.platform == "darwin" else "libinsonate.so")
)
GLIBC = "2.28"
"""What the library asks of the machine where zig builds it; a system's compiler asks for what that system has."""

ZIG = "ziglang>=0.17,<0.18"

FLAGS = [
    *(
        "-O3",
        "-std=gnu++20",
        "-fPIC",
        "-pthread",
        "-fvisibility=hidden",
        "-fno-exceptions",
        "-fno-rtti",
        "-w",
    ),
    *("-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math"),
]
"""Not -ffast-math: with some compilers it has a library switch denormal numbers off for the whole process."""

INSTRUCTIONS = {
    "x86_64": {
        "kernels_avx2": ["-mavx2", "-mfma"],
        "kernels_avx512": ["-mavx512f", "-mavx512dq", "-mavx2", "-mfma", "-mprefer-vector-width=512"],
    },
    "aarch64": {"kernels_neon": []},
}


def machine() -> str:
    """Name the processor to build for; $MACHINE says another, for zig."""
    name = os.environ.get("MACHINE") or platform.machine()
    return {"AMD64": "x86_64", "arm64": "aarch64"}.get(name, name)


def compilers() -> list[list[str]]:
    """Give the commands that may compile here, first choice first."""
    wanted = [shlex.split(os.environ.get("CC", "")), ["gcc"], ["clang"], ["cc"]]
    found = [command for command in wanted if command and shutil.which(command[0])]
    if os.environ.get("MACHINE"):
        found = []
    if find_spec("ziglang"):
        libc = "gnu." + GLIBC if platform.libc_ver()[0] == "glibc" else "musl"
        target = {"linux": f"linux-{libc}", "darwin": "macos"}.get(sys.platform, sys.platform)
        # A target, or zig builds for this very processor.
        found.append([sys.executable, "-m", "ziglang", "cc", "-target", f"{machine()}-{target}"])
    return found


def compile_with(command: list[str], folder: Path) -> Path:
    """Compile everything into a folder and link it there."""
    sources = {"kernels_plain": [], "library": [], "pool": []} | INSTRUCTIONS.get(machine(), {})

    def compiled(name: str) -> Path:
        made = folder / f"{name}.o"
        _run([*command, *FLAGS, *sources[name], "-c", str(HERE / "cpp" / f"{name}.cpp"), "-o", str(made)])
        return made

    with ThreadPoolExecutor(os.cpu_count() or 1) as jobs:
        objects = list(jobs.map(compiled, sources))
    made = folder / "library"
    _run([*command, "-shared", "-s", "-pthread", *map(str, objects), "-lm", "-o", str(made)])
    return made


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        said = next((line for line in lines if "error" in line), lines[-1] if lines else "no message")
        raise OSError(f"{' '.join(command[:1])}: {said.strip()}")


def build(library: Path = LIBRARY) -> str:
    """Build the library, whole or not at all, and give the command that did.

    Raises
    ------
    OSError
        If there is no compiler that can.
    """
    if sys.platform not in ("linux", "darwin"):
        raise OSError(f"{sys.platform} has no POSIX threads")
    trouble = "no C++ compiler was found"
    for command in compilers():
        with tempfile.TemporaryDirectory() as folder:
            try:
                made = compile_with(command, Path(folder))
            except OSError as error:
                trouble = str(error)
                continue
            partial = library.with_name(library.name + ".partial")
            shutil.copyfile(made, partial)
            partial.replace(library)  # who has the old one open keeps it
            return "zig" if "ziglang" in command else command[0]
    raise OSError(trouble)


def main() -> int:
    """Build, and say in one line how it went."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quiet", action="store_true", help="say nothing where no compiler can")
    wanted = parser.parse_args()
    start = time.monotonic()
    try:
        command = build()
    except OSError as error:
        if not wanted.quiet:
            sys.stderr.write(
                f"The native kernels were not built ({error}): numba's, slower, are used. Again: make native\n"
            )
        return 1
    sys.stdout.write(f"Built the native kernels with {command} in {time.monotonic() - start:.1f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
