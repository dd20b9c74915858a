"""Distillation: who is sure is heard, who errs is not; a student of two teachers end to end."""

import pytest
import torch
from collecting_case import collected
from tiny_experiment import TINY

from semloss.collect.experiment import Experiment
from semloss.errors import SemlossError
from semloss.tasks import Distilled, ResNet8

TRUTH = torch.tensor([0, 1, 2])
SURE = 12.0 * torch.nn.functional.one_hot(TRUTH, 3).float()
WRONG = SURE.roll(1, 1)


def loss(outputs, *teachers, **options):
    task = Distilled(teachers=tuple(f"t{at}" for at in range(len(teachers))), **options)
    return float(task.taught(outputs, TRUTH, torch.stack(teachers, 1)))


def test_a_student_that_agrees_with_a_sure_teacher_has_nothing_left_but_the_labels():
    said = torch.randn(3, 3, generator=torch.Generator().manual_seed(0))
    sure = float(torch.softmax(SURE, 1).amax())
    label = float(ResNet8().loss(SURE, TRUTH))
    assert loss(SURE, SURE, share=0.9) == pytest.approx((1 - 0.9 * sure) * label, abs=1e-5)
    assert loss(said, SURE) > loss(SURE, SURE)


def test_a_teacher_that_errs_is_not_heard():
    said = torch.randn(3, 3, generator=torch.Generator().manual_seed(1))
    labels = float(ResNet8().loss(said, TRUTH))
    assert loss(said, WRONG) == pytest.approx(labels, rel=1e-3)
    assert loss(said, WRONG, SURE) == pytest.approx(loss(said, SURE), rel=1e-3)


def test_of_two_that_are_equally_sure_the_mean_is_heard():
    """KL to the mean of two targets is least at their mean."""
    one, other = (torch.tensor([[4.0, 1.0, 0.0]] * 3), torch.tensor([[4.0, 0.0, 1.0]] * 3))
    task = Distilled(teachers=("a", "b"), share=1.0, temperature=1.0)
    truth = torch.zeros(3, dtype=torch.long)
    both = torch.stack([one, other], 1)
    mean = (torch.softmax(one, 1) + torch.softmax(other, 1)).div(2).log()
    least = task.taught(mean, truth, both)
    generator = torch.Generator().manual_seed(2)
    for _ in range(20):
        away = mean + 0.1 * torch.randn(3, 3, generator=generator)
        sure = torch.softmax(one, 1)[0, 0]
        # the label's part moves too; its share is what the teachers leave of it
        label = (1 - sure) * (ResNet8().loss(away, truth) - ResNet8().loss(mean, truth))
        assert task.taught(away, truth, both) - label > least


def test_a_student_of_two_teachers_end_to_end(tmp_path):
    recipe = TINY.split("[task]")[1]
    tasks = "".join(
        f"[[task]]\n{head}\n{recipe}"
        for head in (
            'kind = "resnet8"\nwidth = 8\nuses = []',
            'kind = "resnet8"\nwidth = 12\nuses = ["clean"]',
            'kind = "distilled"\nwidth = 4\nteachers = ["resnet8-width8", "resnet8-width12"]',
        )
    )
    few = ["--set", "grid.cr=1/6", "--set", "grid.snr_db=[10]"]
    table = collected(tmp_path, TINY.split("[task]")[0] + tasks, *few)
    student = "distilled-width4-by-resnet8-width8+resnet8-width12"
    rows = table[table.metric == "accuracy"]
    assert sorted(zip(rows.task, rows.receiver, strict=True)) == [
        (student, "clean"), (student, "matched"), ("resnet8-width12", "clean"),
    ]  # fmt: skip
    assert len(list((tmp_path / "run" / "tasks").glob("*/task.safetensors"))) == 3


@pytest.mark.parametrize(
    ("tasks", "line"),
    [
        (
            [{"kind": "distilled", "teachers": ["resnet8"]}],
            "its teacher resnet8 is no task model that stands before it; there is none",
        ),
        (
            [{"kind": "segment"}, {"kind": "distilled", "teachers": ["segment"]}],
            "its teacher segment classifies no images",
        ),
        ([{"kind": "distilled"}], "teachers: this key is required"),
    ],
)
def test_teachers_that_are_none_are_named_in_one_line(tasks, line):
    tables = {"source": {"kind": "scenes"}, "grid": {"cr": ["1/6"], "snr_db": [0]}, "task": tasks}
    with pytest.raises(SemlossError, match=line) as error:
        Experiment.from_tables(tables)
    assert "\n" not in str(error.value)
