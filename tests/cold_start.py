"""What a command loads when it starts, seen from outside."""

import subprocess
import sys

_PROGRAM = """
import json, sys
from semloss.cli import main
code = main(sys.argv[2:])
loaded = sorted(set(json.loads(sys.argv[1])) & set(sys.modules))
sys.exit(code or " ".join(loaded) or 0)
"""
HEAVY = ("torch", "pandas", "scipy", "pydantic", "matplotlib", "seaborn", "lmfit")


def complaint(*words, of=HEAVY, cwd=None):
    """Modules of those named that a fresh `semloss` of these words loads, or why it failed."""
    import json

    command = [sys.executable, "-c", _PROGRAM, json.dumps(of), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    return done.stderr.strip() or (f"exit code {done.returncode}" if done.returncode else "")
