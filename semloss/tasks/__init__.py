"""Task models at the receiver; importing the package registers all of them."""

from semloss.tasks.base import TASKS, Answers, Task, answer
from semloss.tasks.classify import Classifier
from semloss.tasks.none import NoTask
from semloss.tasks.resnet8 import ResNet8

__all__ = ["TASKS", "Answers", "Classifier", "NoTask", "ResNet8", "Task", "answer"]
