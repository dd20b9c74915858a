"""Train one codec, try again gently if it diverges, and say so if it never converges."""

from pathlib import Path
from typing import Any

from semloss.codecs import CodecNetwork, transplant
from semloss.collect.grid import Link, Unit
from semloss.collect.measuring import psnr_on
from semloss.collect.run import Run, UnitFolder
from semloss.collect.workshop import Range, Workshop
from semloss.identity import digest, seed_for
from semloss.training import Diverged, Recipe, Trained, train

#: A codec whose validation PSNR is not this far above that of the mean image has collapsed.
COLLAPSE_MARGIN_DB = 1.0

Record = dict[str, Any]


def train_codec(
    shop: Workshop,
    run: Run,
    unit: Unit,
    folder: UnitFolder,
    snr_db: Range,
    recipe: Recipe,
    start: CodecNetwork | None = None,
) -> Record:
    """Train a codec and finish the stage "codec" of its unit.

    Parameters
    ----------
    shop, run
        Images and losses; the run whose log hears of divergences.
    unit, folder
        The unit whose codec it is, and its folder.
    snr_db
        Range of training SNR, Es/N0 in dB.
    recipe
        Manner of the first attempt; each further one halves its learning rate.
    start
        Codec to start from; None for random weights.

    Returns
    -------
    dict
        Record of the stage: status "ok", "retried" or "diverged", what each failed attempt
        showed, cost, losses and validation PSNR.
    """
    assert unit.link is not None
    attempts: list[str] = []
    while len(attempts) <= shop.experiment.train.retries:
        key = digest([unit.key, "attempt", len(attempts)])
        gentler = recipe.model_copy(update={"lr": recipe.lr / 2 ** len(attempts)})
        network = shop.new_codec(unit.link, seed_for(key, "weights"))
        if start is not None:
            transplant(start, network)
        try:
            trained, psnr_db = _attempt(shop, network, unit.link, snr_db, gentler, key, folder.path)
        except Diverged as outcome:
            attempts.append(f"lr {gentler.lr:g}: {outcome}")
            run.log(f"{unit.name}: diverged at {attempts[-1]}")
            continue
        record = {
            "status": "retried" if attempts else "ok",
            "attempts": attempts,
            "lr": gentler.lr,
            "steps": trained.steps,
            "cpu_s": trained.cpu_s,
            "losses": trained.losses,
            "validation_psnr_db": psnr_db,
        }
        folder.write("codec", record, network)
        return record
    return give_up(folder, attempts)


def give_up(folder: UnitFolder, attempts: list[str]) -> Record:
    """Finish the stage "codec" without a codec: the cell is flagged and never averaged in."""
    record: Record = {
        "status": "diverged",
        "attempts": attempts,
        "lr": None,
        "steps": 0,
        "cpu_s": 0.0,
        "losses": [],
        "validation_psnr_db": None,
    }
    folder.write("codec", record)
    return record


def _attempt(
    shop: Workshop,
    network: CodecNetwork,
    link: Link,
    snr_db: Range,
    recipe: Recipe,
    key: str,
    folder: Path,
) -> tuple[Trained, float]:
    """One training; raises `Diverged` also when the codec learnt no more than a mean image."""
    checkpoint = folder / "training-codec.safetensors"
    try:
        trained = train(
            network,
            shop.codec_loss(network, link, snr_db),
            len(shop.split.train),
            recipe,
            key,
            checkpoint,
        )
    except Diverged:
        checkpoint.unlink(missing_ok=True)
        raise
    psnr_db = psnr_on(
        network,
        link.channel,
        shop.images.images,
        shop.split.validation,
        sum(snr_db) / 2,
        key,
        shop.device,
    )
    nothing_db = shop.mean_image_psnr_db
    if not psnr_db > nothing_db + COLLAPSE_MARGIN_DB:
        raise Diverged(
            f"validation PSNR {psnr_db:.1f} dB where the mean image has {nothing_db:.1f} dB"
        )
    return trained, psnr_db
