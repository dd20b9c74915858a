"""Classification of whole images: what every classifier is trained by and judged on."""

import numpy as np
import torch
from torch import Tensor, nn

from semloss.errors import SemlossError
from semloss.metrics import Asked, Measurement, measure_classification, measure_risk
from semloss.sources import ImageSet
from semloss.tasks.base import Answers, Said, Task

#: Share of a label's weight given to all classes alike in training.
LABEL_SMOOTHING = 0.1


class Classifier(Task):
    """A task model whose network maps images to float32 logits (B, classes)."""

    def check(self, images: ImageSet) -> None:
        """Refuse images of one class."""
        if len(images.classes) < 2:
            raise SemlossError(
                f"source: all images are of one class, {images.classes[0]}; a task needs at least "
                'two (task.kind = "none" measures images alone)'
            )

    def loss(self, outputs: Tensor, truth: Tensor) -> Tensor:
        """Cross-entropy with smoothed labels."""
        return nn.functional.cross_entropy(outputs.float(), truth, label_smoothing=LABEL_SMOOTHING)

    def answers(self, outputs: Tensor) -> Tensor:
        """Class of the largest logit, int64 (B,)."""
        return outputs.argmax(1)

    def confidence(self, outputs: Tensor) -> Tensor:
        """Softmax probability (B,) of the largest logit."""
        return torch.softmax(outputs.float(), 1).amax(1)

    def measure(
        self, truth: Answers, answers: Answers, clean: Answers, n_classes: int
    ) -> list[Measurement]:
        """Accuracy, macro-F1 and semantic loss; see `Task.measure`."""
        accuracy = float(np.mean(clean == truth))
        at_best = measure_classification(truth, clean, n_classes=n_classes, clean_accuracy=accuracy)
        return measure_classification(
            truth,
            answers,
            n_classes=n_classes,
            clean_accuracy=accuracy,
            clean_macro_f1=next(one.value for one in at_best if one.metric == "macro_f1"),
        )

    def risk(self, truth: Answers, said: Said, clean: Said, asked: Asked) -> list[Measurement]:
        """Worst class, flips, calibration, accuracy at coverage; see `Task.risk`."""
        return measure_risk(
            truth, said.answers, clean.answers, said.confidence, clean.confidence, asked
        )
