"""Task models at the receiver; importing the package registers all of them."""

from semloss.tasks.base import TASKS, Answers, Hearing, Said, Task, say
from semloss.tasks.classify import Classifier
from semloss.tasks.distilled import Distilled
from semloss.tasks.efficientnet import EfficientNetLite0
from semloss.tasks.none import NoTask
from semloss.tasks.resnet8 import ResNet8
from semloss.tasks.segment import Segment
from semloss.tasks.timm_model import Timm
from semloss.tasks.vgg import Vgg

__all__ = [
    "TASKS", "Answers", "Classifier", "Distilled", "EfficientNetLite0", "Hearing", "NoTask",
    "ResNet8", "Said", "Segment", "Task", "Timm", "Vgg", "say",
]  # fmt: skip
