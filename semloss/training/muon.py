"""Muon: momentum whose update is made orthogonal, for the kernels of a convolutional network.

Source: K. Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024,
https://kellerjordan.github.io/posts/muon, with its coefficients and five iterations. The
iteration is carried out on the small Gram matrices, all kernels of one size at once: with X the
update as a matrix and A = X X', every iterate is a polynomial in A times X, so X itself is
multiplied only once. That takes a tenth of the time, which counts for networks this small.

PyTorch's own ``torch.optim.Muon`` takes matrices only, and a network's other parameters need a
second optimiser beside it; here one optimiser serves the whole network.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, overload

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


class Muon(Optimizer):
    """Muon for convolution kernels (4-D parameters), Adam for all others.

    Parameters
    ----------
    parameters
        Parameters of one network, in one group.
    lr
        Learning rate of the kernels: the spectral norm of one update is about `lr`. A tensor on
        the parameters' device makes a step that a CUDA graph can replay.
    momentum
        Nesterov momentum of the kernels.
    adam_factor
        Learning rate of Adam as a fraction of `lr`.
    betas
        Decay of Adam's two moments.
    eps
        Adam's floor of the second moment's root.
    """

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float = 0.02,
        momentum: float = 0.95,
        adam_factor: float = 0.2,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "adam_factor": adam_factor,
            "betas": betas,
            "eps": eps,
        }
        super().__init__(parameters, defaults)

    @overload
    def step(self, closure: None = None) -> None: ...

    @overload
    def step(self, closure: Callable[[], float]) -> float: ...

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Update every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            given = [p for p in group["params"] if p.grad is not None]
            self._muon([p for p in given if p.ndim == 4], group)
            self._adam([p for p in given if p.ndim != 4], group)
        return loss

    def _muon(self, kernels: list[Tensor], group: dict[str, Any]) -> None:
        if not kernels:
            return
        momentum = group["momentum"]
        gradients = [_gradient(kernel) for kernel in kernels]
        for kernel in kernels:
            if not self.state[kernel]:
                self.state[kernel]["momentum"] = torch.zeros_like(kernel)
        velocities = [self.state[kernel]["momentum"] for kernel in kernels]
        torch._foreach_lerp_(velocities, gradients, 1 - momentum)
        updates = torch._foreach_lerp(gradients, velocities, momentum)
        _move(kernels, orthogonalised(list(updates)), group["lr"])

    def _adam(self, parameters: list[Tensor], group: dict[str, Any]) -> None:
        """Adam (Kingma and Ba 2015)."""
        if not parameters:
            return
        gradients, lr = [_gradient(parameter) for parameter in parameters], group["lr"]
        for parameter in parameters:
            if not self.state[parameter]:
                self.state[parameter]["mean"] = torch.zeros_like(parameter)
                self.state[parameter]["square"] = torch.zeros_like(parameter)
                place = lr.device if isinstance(lr, Tensor) else None
                self.state[parameter]["step"] = torch.zeros((), device=place)
        states = [self.state[parameter] for parameter in parameters]
        first, second = group["betas"]
        means, squares = [s["mean"] for s in states], [s["square"] for s in states]
        torch._foreach_add_([s["step"] for s in states], 1)
        # with a learning rate on the device no number may leave it
        step = states[0]["step"] if isinstance(lr, Tensor) else float(states[0]["step"])
        torch._foreach_lerp_(means, gradients, 1 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
        roots = torch._foreach_sqrt(torch._foreach_div(squares, 1 - second**step))
        torch._foreach_add_(roots, group["eps"])
        rate = lr * group["adam_factor"] / (1 - first**step)
        if isinstance(rate, Tensor):
            _move(parameters, list(torch._foreach_div(means, roots)), rate)
        else:
            torch._foreach_addcdiv_(parameters, means, roots, -rate)


def _move(parameters: list[Tensor], updates: list[Tensor], rate: float | Tensor) -> None:
    """Take updates, times a rate, off the parameters."""
    if isinstance(rate, Tensor):
        torch._foreach_mul_(updates, -rate)
        torch._foreach_add_(parameters, updates)
    else:
        torch._foreach_add_(parameters, updates, alpha=-rate)


def _gradient(parameter: Tensor) -> Tensor:
    gradient = parameter.grad
    assert gradient is not None
    return gradient


def orthogonalised(updates: list[Tensor]) -> list[Tensor]:
    """Bring the singular values of kernels' updates, seen as matrices, to about one.

    Parameters
    ----------
    updates
        Each (A, B, kh, kw), seen as a matrix of A rows and B·kh·kw columns.

    Returns
    -------
    list of Tensor
        Same shapes: singular values roughly within 0.7 to 1.2; smaller for directions that had
        almost no part in the update.
    """
    a, b, c = _COEFFICIENTS
    matrices = []
    sizes: dict[int, list[int]] = defaultdict(list)
    for index, update in enumerate(updates):
        # columns in the order of channels-last memory: nothing is copied, and it changes no value
        matrix = update.permute(0, 2, 3, 1).flatten(1)
        matrices.append(matrix.T if matrix.shape[0] > matrix.shape[1] else matrix)
        sizes[matrices[-1].shape[0]].append(index)
    results = list(updates)
    for size, indices in sizes.items():
        gram = torch.stack([matrices[index] @ matrices[index].T for index in indices])
        norm = torch.linalg.matrix_norm(gram, keepdim=True) + 1e-30
        gram = gram / norm
        one = a * torch.eye(size, device=gram.device)
        whole = torch.baddbmm(gram, gram, gram, beta=b, alpha=c) + one
        factor = whole
        for _ in range(_ITERATIONS - 1):
            gram = factor @ gram @ factor
            factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c) + one
            whole = factor @ whole
        whole = whole / norm.sqrt()
        for index, product in zip(indices, whole, strict=True):
            update, matrix = updates[index], product @ matrices[index]
            matrix = matrix.T if update.shape[0] > size else matrix
            rows, columns, height, width = update.shape
            results[index] = matrix.reshape(rows, height, width, columns).permute(0, 3, 1, 2)
    return results
