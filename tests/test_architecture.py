"""The house: imports follow the path of the data, and no module grows past one sitting."""

import ast
from pathlib import Path

import pytest

import semloss

PACKAGE = Path(semloss.__file__).parent

#: Floors from the ground up; a module imports only from its own floor's package or from below.
FLOORS = [
    {"errors", "identity", "arrays", "version"},
    {"units", "storage", "roots"},
    {"registry", "answers", "layout"},
    {"facts"},
    {"sources", "channels", "metrics", "tables"},
    {"codecs"},
    {"tasks"},
    {"objectives"},
    {"training"},
    {"selection"},
    {"surfaces"},
    {"planning"},
    {"collect", "reports"},
    {"cli"},
    {"__init__", "__main__"},
]
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))


def imported(path):
    """Top-level parts of semloss that a module imports, anywhere in it."""
    for node in ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports from semloss in full"
            names = [node.module]
            if node.module == "semloss":
                names = [f"semloss.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "semloss" and len(parts) > 1 and not parts[1].startswith("__"):
                yield parts[1]


def part(path):
    return path.parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_go_down_only(path):
    own = FLOOR_OF[part(path)]
    for other in set(imported(path)) - {part(path)}:
        assert FLOOR_OF[other] < own, f"{path} imports {other}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_is_read_in_one_sitting(path):
    assert len((PACKAGE / path).read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize(
    "name", ["facts", "tables", "selection", "surfaces", "planning", "reports"]
)
def test_what_works_on_tables_knows_no_torch(name):
    for path in MODULES:
        if part(path) == name:
            tree = ast.parse((PACKAGE / path).read_text(encoding="utf-8"))
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    assert all(alias.name.split(".")[0] != "torch" for alias in node.names)
                if isinstance(node, ast.ImportFrom):
                    assert node.module.split(".")[0] != "torch"
