"""The house: imports follow the path of the data, no file depends on itself, rooms stay small."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import semloss

PACKAGE = Path(semloss.__file__).parent

#: Floors from the ground up; a module imports only from its own room or from floors below.
FLOORS = [
    {"errors", "identity", "arrays", "text", "version", "interruption", "pictures"},
    {"units", "storage", "roots", "extras"},
    {"registry", "answers", "networks", "layout", "modcods"},
    {"facts", "outcomes"},
    {"sources", "channels", "metrics", "tables"},
    {"codecs"},
    {"tasks"},
    {"objectives"},
    {"training"},
    {"selection"},
    {"surfaces"},
    {"planning", "comparing"},
    {"collect", "reports"},
    {"sending"},
    {"cli"},
    {"__init__", "__main__"},
]
#: The rooms of planning and of surfaces, likewise.
INNER_FLOORS = {
    "planning": [
        {"propagation"}, {"link"}, {"budget"}, {"passes", "sharing"},
        {"digital", "amplifier"}, {"studies"},
    ],
    "surfaces": [{"forms"}, {"fitted"}, {"files"}, {"fitting"}],
}  # fmt: skip
MOST_LINES = 400
MOST_ROOMS = 14
NO_TORCH = ["facts", "outcomes", "tables", "selection", "surfaces", "planning", "comparing",
            "reports"]  # fmt: skip

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))
NAMES = {
    ".".join(("semloss", *path.with_suffix("").parts)).removesuffix(".__init__"): path
    for path in MODULES
}


def imports(path):
    """Everything that a module imports anywhere in it, within functions and for types too."""
    for node in ast.walk(ast.parse((PACKAGE / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: write imports from semloss in full"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in NAMES else node.module
        elif isinstance(node, ast.Call) and "import_module" in ast.dump(node.func):
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant))


def neighbours(path):
    """The modules of semloss that a module imports."""
    own = {NAMES[name] for name in imports(path) if name in NAMES}
    return own - {path}


def floor_of(floors, part):
    return next(i for i, parts in enumerate(floors) if part in parts)


def part(path):
    return path.parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_go_down_only(path):
    for other in neighbours(path):
        if part(other) != part(path):
            assert floor_of(FLOORS, part(other)) < floor_of(FLOORS, part(path)), (
                f"{path} imports {other}"
            )


@pytest.mark.parametrize("room", INNER_FLOORS)
def test_the_rooms_of_a_floor_have_an_order_too(room):
    for path in MODULES:
        if path.parts[0] != room or len(path.parts) < 3:
            continue
        for other in neighbours(path):
            if other.parts[0] == room and len(other.parts) > 2 and other.parts[1] != path.parts[1]:
                floors = INNER_FLOORS[room]
                assert floor_of(floors, other.parts[1]) < floor_of(floors, path.parts[1]), (
                    f"{path} imports {other}"
                )


def test_no_circle_of_files():
    # a package's __init__ is imported with each of its modules, and gathers them: it is no file
    graph = {path: neighbours(path) for path in MODULES}
    files = {path for path in MODULES if path.name != "__init__.py"}
    try:
        TopologicalSorter({path: graph[path] & files for path in files}).prepare()
    except CycleError as circle:
        pytest.fail(" → ".join(map(str, circle.args[1])))


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_a_module_is_read_in_one_sitting(path):
    assert len((PACKAGE / path).read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("folder", sorted({path.parent for path in MODULES}), ids=str)
def test_a_folder_holds_what_one_can_see_at_a_glance(folder):
    rooms = [
        entry
        for entry in (PACKAGE / folder).iterdir()
        if (entry.suffix == ".py" and entry.name != "__init__.py")
        or (entry / "__init__.py").exists()
    ]
    if folder != Path("."):
        assert len(rooms) <= MOST_ROOMS


@pytest.mark.parametrize("path", [p for p in MODULES if part(p) in NO_TORCH], ids=str)
def test_what_works_on_tables_knows_no_torch(path):
    assert not {name for name in imports(path) if name.split(".")[0] == "torch"}


@pytest.mark.parametrize("path", [p for p in MODULES if p.parts[:2] == ("surfaces", "fitted")],
                         ids=str)  # fmt: skip
def test_answers_of_a_fit_need_numpy_alone(path):
    heavy = {"scipy", "pandas", "torch", "sklearn", "lmfit", "matplotlib", "pydantic"}
    lazy = {"pandas"}  # for those who ask for a frame
    assert not {name.split(".")[0] for name in imports(path)} & (heavy - lazy)
