"""A last layer that gives two neighbours at once gives what torch's own does."""

import pytest
import torch
from torch.nn.functional import conv_transpose2d

from semloss.codecs.deepjscc import DeepJSCC
from semloss.codecs.doubling import Doubling

LAYOUTS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kernel", [3, 5, 7, 9])
def test_neighbours_given_at_once_are_those_given_one_by_one(kernel, layout):
    torch.manual_seed(0)
    layer = Doubling(6, 3, kernel).to(memory_format=layout)
    maps = torch.randn(2, 6, 5, 7).to(memory_format=layout).requires_grad_()
    learnt = [maps, layer.weight, layer.bias]
    own = layer(maps)
    torchs = conv_transpose2d(maps, layer.weight, layer.bias, 2, kernel // 2, 1)
    assert own.shape == (2, 3, 10, 14)
    torch.testing.assert_close(own, torchs)
    way = torch.randn_like(own)
    slopes = [torch.autograd.grad((one * way).sum(), learnt) for one in (own, torchs)]
    for one, other in zip(*slopes, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_in_bfloat16_and_beside_training_it_is_torchs_own(monkeypatch):
    calls = []
    plain = torch.nn.ConvTranspose2d.forward

    def note(self, maps, output_size=None):
        calls.append(maps.dtype)
        return plain(self, maps, output_size)

    monkeypatch.setattr(torch.nn.ConvTranspose2d, "forward", note)
    layer, maps = Doubling(6, 3, 5), torch.rand(1, 6, 4, 4)
    layer(maps)
    assert not calls
    with torch.autocast("cpu", torch.bfloat16):
        layer(maps)
    layer.eval()(maps)
    assert len(calls) == 2


def test_a_codec_of_before_is_read():
    codec, shape = DeepJSCC(width=8), (3, 16, 16)
    network = codec.build(shape, codec.realise(1 / 6, shape), 0)
    last = [name for name in network.state_dict() if name.startswith("decoder")][-2:]
    assert [name.rpartition(".")[2] for name in last] == ["weight", "bias"]
    assert network.state_dict()[last[0]].shape == (16, 3, 5, 5)
