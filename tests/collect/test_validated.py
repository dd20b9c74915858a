"""A codec's training is judged by all of its weights."""

from types import SimpleNamespace

import numpy as np
import torch

from semloss.channels import Awgn
from semloss.codecs import CODECS
from semloss.collect.stages.codec import check_codec


def test_validation_is_the_mean_over_both_networks_of_a_codec():
    options = {"stem": 4, "width": 6, "depth": 1, "maps": 6, "low_maps": 2}
    codec = CODECS.parse({"kind": "adaptive", **options}, "codec")
    realised = codec.realise(1 / 16, (3, 32, 32))
    scheme = SimpleNamespace(
        codec=codec,
        realisation=realised,
        channel=Awgn(),
        objective=SimpleNamespace(of_pixels=False),
    )
    unit = SimpleNamespace(own_scheme=scheme, own_lesson=SimpleNamespace(snr_db=(0.0, 10.0)))
    pixels = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), dtype=np.uint8)
    split = SimpleNamespace(train=np.arange(4), validation=np.arange(4))
    bench = SimpleNamespace(split=split, device=torch.device("cpu"), pixels=pixels)
    network = codec.build((3, 32, 32), realised, 0)
    before = check_codec(unit, bench, network, "key")["validation_psnr_db"]
    for weights in network.low.parameters():
        weights.data.fill_(float("nan"))
    assert np.isfinite(before)
    assert np.isnan(check_codec(unit, bench, network, "key")["validation_psnr_db"])
