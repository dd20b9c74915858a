"""What became of each test image: the outcomes that the values of a table are the means of.

All cells of a grid are measured on the same test images, so their luck is shared, and only
outcomes of single images tell how much of it. A file NAME.outcomes.npz beside a table NAME.csv or
NAME.parquet holds, for rows of the table, one number per image; their mean is the row's ``value``
and their spread its ``sd``:

===================  ===========================================================================
metric               outcome of an image
===================  ===========================================================================
accuracy             whether the answer is right, one bit
``flip_rate``        whether a right answer turned wrong, one bit
``accuracy_of_…``,   whether the answer is right; NaN for images of other classes
worst_class_accuracy
``ece``              what the image adds to its bin's gap, signed as that
a mean over images   the image's own value (``psnr_db``, ``ssim``, ``papr_db``, …)
``semantic_loss``    (clean accuracy - right) / clean accuracy
``macro_f1``,        the image's influence on the value, added to it (delta method); for the PSNR
psnr_mean_mse_db,    of the mean MSE that is value - 10 / (ln 10 MSE) (MSE of the image - MSE)
accuracy_at_coverage
===================  ===========================================================================

Where an image is sent several times, its outcome is the mean over the repetitions.
"""

from semloss.outcomes.files import beside, read_outcomes, write_outcomes
from semloss.outcomes.outcomes import KEY, Key, Outcomes, PerImage, key_of, per_image
from semloss.outcomes.texts import decoded, encoded

__all__ = [
    "KEY", "Key", "Outcomes", "PerImage", "beside", "decoded", "encoded", "key_of", "per_image",
    "read_outcomes", "write_outcomes",
]  # fmt: skip
