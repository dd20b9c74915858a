"""Task models at the receiver; importing the package registers all of them."""

from semloss.tasks.base import TASKS, Task, predict
from semloss.tasks.resnet8 import ResNet8

__all__ = ["TASKS", "ResNet8", "Task", "predict"]
