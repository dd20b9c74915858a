"""Which wrong lines do the tests notice? Run by `make mutants`, apart from the everyday suite.

mutmut changes one expression of one function at a time. Room by room, this draws a sample of
the changed functions, lets mutmut run the tests that call each of them, and counts the changes
that made none of them fail. `tests/mutants.md` says what was found and what may stay.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import libcst

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build" / "mutants"
COPIED = ("semloss", "tests", "data", "fits", "README.md", "pyproject.toml")
PRELOADED = ("pytest", "hypothesis", "numpy", "scipy.stats", "scipy.optimize", "pandas", "torch")
#: A form that is made, by its registration, before mutmut's tables of its methods are.
NOT_CHANGED = ["semloss/surfaces/forms/pair.py"]
LEFT_AS_THEY_ARE = {"staticmethod", "classmethod", "abstractmethod", "overload"}


@dataclass(frozen=True)
class Room:
    """Files that are changed, the tests that should notice, and those too slow to ask."""

    files: list[str]
    tests: list[str]
    too_slow: list[str] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """Words to pytest that run the tests."""
        slow = [word for test in self.too_slow for word in ("--deselect", test)]
        return ["-p", "no:cacheprovider", *slow, *self.tests]


_ALL_FORMS = (
    "a_fit_of_any_scatter_is_monotone",
    "auto_takes_the_true_form_or_one_that_predicts_as_well",
    "bands_and_inverse_intervals_cover_as_often_as_they_say",
    "draws_and_covariance_tell_one_doubt",
    "every_rule_picks_by_its_own_yardstick",
    "forms_that_do_as_well_add_their_doubt",
    "measured_surfaces_are_met_to_their_noise_a_left_out_cr_included",
    "measurements_that_fall_beyond_their_noise_are_named",
    "one_spoilt_cell_does_not_change_the_form_that_a_robust_fit_chooses",
    "scatter_of_unknown_size_is_no_fall",
    "ten_points_of_two_rates_are_met_and_the_open_ceiling_curve_is_said",
    "the_comparison_names_every_form_and_the_reference",
    "the_intervals_of_every_answer_are_nested_in_those_of_a_higher_level",
)
_ALL_GROUPS = (
    "a_group_of_few_cells_does_not_bar_the_forms_that_the_others_need",
    "auto_takes_the_form_that_serves_all_groups",
    "nine_groups_of_six_points_carry_together_the_form_that_none_carries_alone",
)

ROOMS = {
    "physics": Room(
        [
            "semloss/channels/*",
            "semloss/planning/propagation/*",
            "semloss/planning/budget/*",
            "semloss/planning/digital/*",
            "semloss/units.py",
            "semloss/roots.py",
        ],
        [
            "tests/channels",
            "tests/planning/propagation",
            "tests/planning/budget",
            "tests/planning/digital",
            "tests/planning/test_printed.py",
            "tests/test_units.py",
            "tests/test_roots.py",
        ],
    ),
    "metrics": Room(["semloss/metrics/*", "semloss/facts/*"], ["tests/metrics", "tests/facts"]),
    "tables": Room(["semloss/tables/*"], ["tests/tables"]),
    "selection": Room(["semloss/selection/*"], ["tests/selection"]),
    "answers": Room(
        [
            "semloss/answers.py",
            "semloss/cli/output.py",
            "semloss/planning/passes/*",
            "semloss/planning/sharing/*",
            "semloss/planning/studies/*",
        ],
        [
            "tests/planning/test_printed.py",
            "tests/planning/passes",
            "tests/planning/sharing",
            "tests/planning/studies",
            "tests/cli/plan/test_every_question.py",
        ],
        [
            "tests/planning/sharing/test_allocation.py::test_the_answer_is_that_of_brute_force",
            "tests/planning/sharing/test_allocation.py"
            "::test_fifty_users_of_twenty_states_come_within_a_percent_of_the_bound",
            "tests/planning/studies/test_cases.py"
            "::test_a_record_is_answered_alike_alone_and_in_company",
        ],
    ),
    "forms": Room(["semloss/surfaces/forms/*"], ["tests/surfaces/forms"]),
    "fitted": Room(["semloss/surfaces/fitted/*"], ["tests/surfaces/fitted"]),
    "fitting": Room(
        ["semloss/surfaces/fitting/*", "semloss/surfaces/fitting/pooling/*"],
        ["tests/surfaces/fitting"],
        [  # fits of all forms, seconds each: what they rest on is asked form by form
            "tests/surfaces/fitting/test_same_measurement.py",
            *(f"tests/surfaces/fitting/test_fit.py::test_{name}" for name in _ALL_FORMS),
            *(f"tests/surfaces/fitting/test_pooling.py::test_{name}" for name in _ALL_GROUPS),
        ],
    ),
}


class Undecorated(libcst.CSTTransformer):
    """`@property def f` becomes `def f` and `f = property(f)`: mutmut passes decorated ones by."""

    def leave_FunctionDef(self, original_node, updated_node):  # noqa: N802
        decorators = [decorator.decorator for decorator in updated_node.decorators]
        names = {node.value for node in decorators if isinstance(node, libcst.Name)}
        if len(decorators) != 1 or names & LEFT_AS_THEY_ARE:
            return updated_node
        name = updated_node.name.value
        decorated = libcst.Call(decorators[0], [libcst.Arg(libcst.Name(name))])
        assignment = libcst.Assign([libcst.AssignTarget(libcst.Name(name))], decorated)
        return libcst.FlattenSentinel(
            [
                updated_node.with_changes(decorators=[]),
                libcst.SimpleStatementLine([assignment]),
            ]
        )


def prepare(name: str) -> tuple[Path, list[str]]:
    """Copy what the tests of a room need; the folder, and the names of all its mutants."""
    room, folder = ROOMS[name], BUILD / name
    shutil.rmtree(folder, ignore_errors=True)
    for part in COPIED:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / part, folder / part)
    (folder / "mutants").mkdir()  # Python looks once whether a folder of its path is there
    others = [path for path in COPIED if path not in ("semloss", "pyproject.toml")]
    settings = {
        "source_paths": ["semloss"],
        "only_mutate": room.files,
        "do_not_mutate": NOT_CHANGED,
        "also_copy": others,
        "pytest_add_cli_args_test_selection": room.words,
        # No test inherits what another one computed, and semloss is imported with the mutant on:
        # the expressions of forms are made then.
        "process_isolation": "forkserver",
        "forkserver_warmup": "import",
        "preload_modules_file": "preload.txt",
        "timeout_constant": 20.0,  # seconds, times 10: a busy machine is no endless loop
        "timeout_multiplier": 10.0,
        "use_git_change_detection": False,
    }
    with (folder / "pyproject.toml").open("a") as file:
        file.write("\n[tool.mutmut]\n")
        for key, value in settings.items():
            file.write(f"{key} = {json.dumps(value)}\n")
    (folder / "preload.txt").write_text("\n".join(PRELOADED))
    for path in sorted({path for pattern in room.files for path in folder.glob(pattern)}):
        if path.suffix == ".py":
            path.write_text(libcst.parse_module(path.read_text()).visit(Undecorated()).code)
    # What `mutmut run` begins with; it finds them made.
    make = "from mutmut import __main__ as m; m.copy_src_dir(); m.create_mutants(2)"
    subprocess.run([sys.executable, "-c", make], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    made = sorted((folder / "mutants").rglob("*.meta"))
    mutants = [name for file in made for name in json.loads(file.read_text())["exit_code_by_key"]]
    return folder, mutants


def main() -> None:
    """Sample, run, count; print the figures as a table and write the survivors to a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", nargs="+", choices=ROOMS, default=list(ROOMS))
    parser.add_argument("--sample", default="40", help="mutants of each room, or all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    mutmut = str(Path(sys.executable).with_name("mutmut"))
    rows = []
    for name in args.rooms:
        start = time.monotonic()
        folder, mutants = prepare(name)
        count = len(mutants) if args.sample == "all" else min(int(args.sample), len(mutants))
        drawn = random.Random(args.seed).sample(mutants, count)
        environment = os.environ | {
            "PYTHONPATH": str(folder / "mutants"),  # commands that tests start are changed too
            "OMP_NUM_THREADS": "1",
        }

        def ask(*words: str, log: str = "", folder=folder, environment=environment) -> str:
            answer = subprocess.run(
                [mutmut, *words], cwd=folder, env=environment, capture_output=True, text=True
            )
            if log:
                (folder / log).write_text(answer.stdout + answer.stderr)
            if answer.returncode:
                sys.exit(f"mutmut {words[0]} ended with {answer.returncode}: see {folder / log}")
            return answer.stdout

        ask("run", "--max-children", str(args.processes), *drawn, log="mutmut.log")
        ends = dict(re.findall(r"^ +(\S+): (.+)$", ask("results", "--all", "true"), re.M))
        ends = {mutant: ends[mutant] for mutant in drawn}
        # mutmut books what runs while modules are imported to the first test alone: what lived
        # meets all tests of the room.
        check = [sys.executable, "-m", "pytest", "--rootdir=.", "-x", "-q", *ROOMS[name].words]
        lived = [
            mutant
            for mutant in drawn
            if ends[mutant] in ("survived", "no tests")
            and not subprocess.run(
                check, cwd=folder / "mutants", env=environment | {"MUTANT_UNDER_TEST": mutant},
                capture_output=True,
            ).returncode
        ]  # fmt: skip
        survivors = folder / "survivors.diff"
        survivors.write_text("\n".join(ask("show", mutant) for mutant in lived))
        minutes = (time.monotonic() - start) / 60
        noticed = count - len(lived)
        slow = sum(end == "timeout" for end in ends.values())
        rows.append((name, len(mutants), count, noticed, slow, noticed / count, minutes))
        print(f"{name}: {noticed} of {count} noticed; survivors: {survivors}", file=sys.stderr)
    print("| room | mutants | drawn | noticed | of them by time | share | minutes |")
    print("|---|--:|--:|--:|--:|--:|--:|")
    for name, total, count, noticed, slow, share, minutes in rows:
        print(f"| {name} | {total} | {count} | {noticed} | {slow} | {share:.1%} | {minutes:.0f} |")


if __name__ == "__main__":
    main()
