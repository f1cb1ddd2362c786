"""Compile the library into the wheel, which serves every Python 3 of one platform."""

import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

sys.path.insert(0, str(Path(__file__).resolve().parent))
import build_native


class LibraryHook(BuildHookInterface[Any]):
    """Builds the library before the wheel is packed."""

    def dependencies(self) -> list[str]:
        """Ask for zig where the machine has no compiler."""
        return [] if build_native.compilers() else [build_native.ZIG]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile; an editable installation is compiled by `make native`, and before it by nobody."""
        command = "" if version == "editable" else build_native.build()
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        if command == "zig" and platform.startswith("linux_"):
            platform = platform.replace("linux_", f"manylinux_{build_native.GLIBC.replace('.', '_')}_", 1)
        build_data["tag"] = f"py3-none-{platform}"
        build_data["pure_python"] = False
