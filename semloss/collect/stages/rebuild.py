"""What it takes to build a measured cell's codec and receivers again, as its record tells it."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from semloss.channels import CHANNELS
from semloss.codecs import CODECS
from semloss.collect.experiment import Experiment, TaskEntry
from semloss.collect.schedule import units_of
from semloss.collect.units import Unit
from semloss.objectives import OBJECTIVES
from semloss.storage import read_json
from semloss.tasks import TASKS

Record = dict[str, Any]


def rebuild_record(
    unit: Unit,
    needs: Mapping[str, Unit],
    tasks: Iterable[TaskEntry],
    shape: tuple[int, int, int],
    classes: Sequence[str],
) -> Record:
    """Everything about a cell's networks, as JSON.

    Parameters
    ----------
    unit, needs
        The cell's measurement and the units that it needs, by the part they play.
    tasks
        The experiment's task models.
    shape
        Bands, height and width of an image.
    classes
        Names of the source's classes.

    Returns
    -------
    dict
        ``codec``, ``channel``, ``objective``: options with their kind; ``tasks``: the same of each
        task model, by its label; ``realisation``: cr_nominal, cr, k, setting; ``snr_db``: of the
        cell; ``shape``; ``classes``; ``weights``: files without their suffix within the run, by
        the part they play ("codec", "matched resnet8").
    """
    scheme = unit.own_scheme
    realised = scheme.realisation
    return {
        "codec": CODECS.dump(scheme.codec),
        "channel": CHANNELS.dump(scheme.channel),
        "objective": OBJECTIVES.dump(scheme.objective),
        "tasks": {entry.label: TASKS.dump(entry.task) for entry in tasks},
        "realisation": {
            "cr_nominal": realised.cr_nominal,
            "cr": realised.cr,
            "k": realised.k,
            "setting": dict(realised.setting),
        },
        "snr_db": unit.snr_db,
        "shape": list(shape),
        "classes": list(classes),
        "weights": {role: one.id for role, one in needs.items()},
    }


def rebuild_records(run: Path) -> dict[str, Record]:
    """The same of all cells that a run's experiment schedules, by the name of the cell.

    For cells whose own record does not tell it: those of before it did.

    Raises
    ------
    SemlossError
        When the run's own files are not all there, or are of another version.
    """
    experiment = Experiment.of_run(run)
    source = read_json(run / "source.json")
    height, width, bands = source["shape"]
    shape = (bands, height, width)
    units = units_of(experiment, shape, read_json(run / "identity.json"))
    by_id = {unit.id: unit for unit in units}
    return {
        unit.name: rebuild_record(
            unit,
            {role: by_id[need] for role, need in unit.needs.items()},
            experiment.tasks,
            shape,
            source["classes"],
        )
        for unit in units
        if unit.stage == "measured"
    }
