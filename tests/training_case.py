"""A small network and what it is taught, for the tests of training."""

import torch

from semloss.training import Recipe, draw_symmetry

ITEMS = 40
RECIPE = Recipe(steps=60, batch_size=8, lr=1e-2, clip_norm=1.0)


def network(seed=0):
    torch.manual_seed(seed)
    layers = torch.nn.Conv2d(2, 4, 3), torch.nn.PReLU(4), torch.nn.Flatten(), torch.nn.Linear(64, 1)
    return torch.nn.Sequential(*layers).to(memory_format=torch.channels_last)


def loss_of(net):
    items = torch.rand(ITEMS, 2, 6, 6, generator=torch.Generator().manual_seed(1))
    device = next(net.parameters()).device
    items = items.contiguous(memory_format=torch.channels_last).to(device)

    def loss(positions, draws):
        noise = torch.randn(len(positions), 2, 6, 6, generator=draws.channel, device=device)
        x = draw_symmetry(draws.augment)(items[positions])
        return (net(x + 0.1 * noise) - x.mean(dim=(1, 2, 3)).unsqueeze(1)).square().mean()

    return loss


def weights(net):
    return torch.cat([p.detach().flatten() for p in net.parameters()])
