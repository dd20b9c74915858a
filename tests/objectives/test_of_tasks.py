"""Objectives that read task models: what they measure, and their controls."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from semloss.errors import SemlossError
from semloss.objectives import OBJECTIVES, Batch, Features, Importance, Pixels, importance_maps
from semloss.tasks import TASKS

LABELS = ("resnet8-width4", "vgg-width4")


def network(kind, seed=0):
    made = TASKS.parse({"kind": kind, "width": 4}, "task").build(3, 5, seed)
    return made.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def tasks():
    return {label: network(label.partition("-")[0]) for label in LABELS}


@pytest.fixture(scope="module")
def pair():
    generator = torch.Generator().manual_seed(0)
    sent, noise = torch.rand(2, 6, 3, 32, 32, generator=generator)
    truth = torch.randint(5, (6,), generator=generator)
    return Batch(sent, dict.fromkeys(LABELS, truth)), 0.7 * sent + 0.3 * noise


def parsed(kind, **options):
    return OBJECTIVES.parse({"kind": kind, **options}, "objective")


def judged(objective, tasks, batch, arrived):
    return objective.build(3, tasks, 0)(batch, arrived)


KINDS = ["features", "importance", "answers", "cross_entropy", "pixels"]


@pytest.mark.parametrize("kind", KINDS)
def test_images_are_judged_one_by_one_and_models_do_not_learn(kind, tasks, pair):
    batch, arrived = pair
    arrived = arrived.clone().requires_grad_()
    judge = parsed(kind).build(3, tasks, 0)
    losses = judge(batch, arrived)
    assert losses.shape == (6,)
    (slope,) = torch.autograd.grad(losses[2], arrived)
    touched = slope.flatten(1).abs().sum(1) > 0
    assert touched.tolist() == [False, False, True, False, False, False]
    assert not any(one.requires_grad for one in judge.parameters())


@pytest.mark.parametrize("kind", ["features", "importance", "answers", "pixels"])
def test_what_arrives_as_it_was_sent_loses_nothing(kind, tasks, pair):
    batch, arrived = pair
    assert judged(parsed(kind), tasks, batch, batch.images).abs().max() < 1e-6
    assert judged(parsed(kind), tasks, batch, arrived).min() > 0


def test_features_are_relative_differences_of_the_stages(tasks, pair):
    batch, arrived = pair
    resnet = tasks["resnet8-width4"]

    def stages(images):
        found = [torch.relu(resnet.stem_norm(resnet.stem(images)))]
        for stage in resnet.stages:
            found.append(stage(found[-1]))
        return found[1:]

    parts = [
        (b - a).square().mean(dim=(1, 2, 3)) / a.var()
        for a, b in zip(stages(batch.images), stages(arrived), strict=True)
    ]
    only = {"resnet8-width4": resnet}
    torch.testing.assert_close(judged(Features(), only, batch, arrived), torch.stack(parts).mean(0))
    second = Features(layers=("stages.1",))
    torch.testing.assert_close(judged(second, only, batch, arrived), parts[1])
    # of several models, the mean
    both = judged(Features(), tasks, batch, arrived)
    other = judged(Features(), {"vgg": tasks["vgg-width4"]}, batch, arrived)
    torch.testing.assert_close(both, (judged(Features(), only, batch, arrived) + other) / 2)


def test_importance_is_what_a_map_does_to_the_result(tasks, pair):
    batch, _ = pair
    label, resnet = "resnet8-width4", tasks["resnet8-width4"]
    objective = Importance(layers=("stages.1",))
    judge = objective.build(3, {label: resnet}, 0)
    _, (weights,) = judge.sent(judge.readers[0], batch)
    torch.testing.assert_close(weights.mean(1), torch.ones(6))
    # a map that is raised a little everywhere changes the true logit by its slope
    own = torch.arange(6)
    truth = batch.truths[label]
    changes = []
    for at in range(8):

        def lift(_module, _given, maps, at=at):
            return maps + 1e-3 * nn.functional.one_hot(torch.tensor(at), 8)[None, :, None, None]

        hook = resnet.stages[1].register_forward_hook(lift)
        raised = resnet(batch.images)
        hook.remove()
        changes.append((raised - resnet(batch.images))[own, truth].abs())
    by_hand = torch.stack(changes, 1)
    by_hand = by_hand / by_hand.mean(1, keepdim=True)
    assert (by_hand - weights).abs().max() < 0.05 * by_hand.max()


def test_the_control_gives_the_same_weights_to_other_maps(tasks, pair):
    batch, _ = pair
    found = {}
    for permuted in (False, True):
        judge = Importance(permuted=permuted).build(3, tasks, 0)
        _, found[permuted] = judge.sent(judge.readers[1], batch)
    for own, other in zip(found[False], found[True], strict=True):
        assert not torch.equal(own, other)
        torch.testing.assert_close(own.sort(1).values, other.sort(1).values)
    again = Importance(permuted=True).build(3, tasks, 0)
    torch.testing.assert_close(again.sent(again.readers[1], batch)[1][0], found[True][0])
    assert Importance(permuted=True).label == "importance-permuted"


def test_pixels_share_out_what_they_weigh(tasks, pair):
    batch, _ = pair
    # the weights have mean 1: a difference that is the same everywhere weighs what it weighed
    losses = judged(Pixels(), tasks, batch, batch.images + 0.1)
    torch.testing.assert_close(losses, torch.full((6,), 0.01))


def test_answers_and_truth_are_those_of_textbooks(tasks, pair):
    batch, arrived = pair
    vgg = tasks["vgg-width4"]
    only = {"vgg-width4": vgg}
    sent, got = (vgg(one).float().log_softmax(1) for one in (batch.images, arrived))
    divergence = nn.functional.kl_div(got, sent, log_target=True, reduction="none").sum(1)
    torch.testing.assert_close(judged(parsed("answers"), only, batch, arrived), divergence)
    truth = nn.functional.nll_loss(got, batch.truths["vgg-width4"], reduction="none")
    torch.testing.assert_close(judged(parsed("cross_entropy"), only, batch, arrived), truth)


# -- sums --------------------------------------------------------------------------------------

PARTS = [{"kind": "mse", "weight": 0.05}, {"kind": "features", "weight": [0.0, 0.002, 0.003]}]


def test_a_sum_weighs_its_parts_as_the_training_goes(tasks, pair):
    batch, arrived = pair
    judge = parsed("sum", parts=PARTS).build(3, tasks, 0)
    mse = judged(parsed("mse"), {}, batch, arrived)
    features = judged(Features(), tasks, batch, arrived)
    for progress, weight in [(0.0, 0.0), (0.25, 0.001), (0.5, 0.002), (0.75, 0.0025), (1.0, 0.003)]:
        for told in (progress, torch.tensor(progress)):
            found = judge(Batch(batch.images, batch.truths, told), arrived)
            torch.testing.assert_close(found, 0.05 * mse + weight * features, rtol=1e-5, atol=1e-9)


def test_a_sum_is_named_by_its_weights_and_reads_back():
    objective = parsed("sum", parts=[*PARTS, {"kind": "importance", "weight": 1, "permuted": True}])
    assert objective.label == "0.05mse+0to0.002to0.003features+importance-permuted"
    assert OBJECTIVES.parse(OBJECTIVES.dump(objective), "objective") == objective
    assert parsed("sum", parts=PARTS[:1], reduce="log").label == "0.05mse-reducelog"
    assert hash(objective) == hash(OBJECTIVES.parse(OBJECTIVES.dump(objective), "objective"))


def test_a_sum_gives_each_part_the_models_that_it_names(tasks):
    some = [{"kind": "features", "tasks": LABELS[:1]}, {"kind": "answers", "tasks": LABELS[1:]}]
    objective = parsed("sum", parts=some)
    assert objective.tasks_read(LABELS) == list(LABELS)
    judge = objective.build(3, tasks, 0)
    assert [len(next(iter(one.children()))) for one in judge.judges] == [1, 1]
    assert parsed("sum", parts=PARTS[:1]).tasks_read(()) == []


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"kind": "sum"}, r"objective\.parts: this key is required"),
        ({"kind": "sum", "parts": [{"kind": "beauty"}]}, "no such objective"),
        ({"kind": "sum", "parts": [{"kind": "mse", "weight": -1}]}, "greater than or equal to 0"),
        ({"kind": "sum", "parts": [{"kind": "mse", "reduce": "log"}]}, "say reduce of the sum"),
        ({"kind": "features", "layer": "x"}, r"objective\.layer: unknown key; did you mean layers"),
    ],
)
def test_complaints_are_one_line(table, message):
    with pytest.raises(SemlossError, match=message) as caught:
        OBJECTIVES.parse(table, "objective")
    assert "\n" not in str(caught.value)


def test_a_layer_that_is_not_there_names_those_that_are(tasks):
    with pytest.raises(
        SemlossError, match=r"no layer stages\.7 that gives maps; did you mean stages\."
    ):
        Features(layers=("stages.7",)).build(3, tasks, 0)
    with pytest.raises(SemlossError, match=r"no layer head that gives maps"):
        Features(layers=("head",)).build(3, tasks, 0)


def test_a_model_that_objectives_may_not_read_is_named():
    with pytest.raises(SemlossError, match=r"vgg is no task model that objectives may read; there"):
        parsed("features", tasks="vgg").tasks_read(["resnet8"])
    with pytest.raises(SemlossError, match="reads a task model, and the experiment has none"):
        parsed("answers").tasks_read([])


def test_numbers_are_no_classes(tasks, pair):
    batch, arrived = pair
    numbers = Batch(batch.images, dict.fromkeys(LABELS, torch.rand(6)))
    assert judged(Features(), tasks, numbers, arrived).shape == (6,)
    with pytest.raises(SemlossError, match="task resnet8-width4 answers with numbers"):
        judged(Importance(), tasks, numbers, arrived)


def test_more_noise_loses_more(tasks, pair):
    batch, arrived = pair
    for kind in ("features", "importance", "pixels"):
        steps = [batch.images + share * (arrived - batch.images) for share in (0.25, 0.5, 1.0)]
        losses = [judged(parsed(kind), tasks, batch, one).mean() for one in steps]
        assert all(less < more for less, more in pairwise(losses))


class ReadsRed(nn.Module):
    """Class 0 is how much red there is, class 1 how much green; blue is looked at for nothing."""

    def __init__(self):
        super().__init__()
        self.look = nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.look.weight.copy_(torch.eye(3).view(3, 3, 1, 1))

    def forward(self, images):
        return self.look(images).mean(dim=(2, 3))[:, :2]


def test_what_matters_is_where_the_maps_are_that_the_class_depends_on():
    images = torch.zeros(2, 3, 16, 16)
    images[:, 0, :8], images[:, 1, :, 8:], images[:, 2] = 0.5, 1.0, 1.0
    maps = importance_maps("t", ReadsRed(), images, torch.tensor([0, 1]))
    red, green = torch.zeros(2, 16, 16)
    red[:8], green[:, 8:] = 2.0, 2.0  # half of the image, all of the weight
    torch.testing.assert_close(maps, torch.stack([red, green]))
