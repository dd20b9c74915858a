"""Tables of the schema before `receiver`: read as if they had been written today."""

import pandas as pd

RECEIVERS = ("none", "clean", "matched")
"""What the column `task` of the old schema held."""


def upgraded(frame: pd.DataFrame) -> pd.DataFrame:
    """A table with the columns of today's schema, where it has those of the old one.

    There the column ``task`` told the receiver, ``codec`` the codec with its changed options,
    and every codec was trained for the mean squared error; which task model answered was not
    told.
    """
    if "receiver" in frame or "task" not in frame or not set(frame["task"]) <= {*RECEIVERS, ""}:
        return frame
    frame = frame.rename(columns={"task": "receiver"})
    frame["task"] = frame["receiver"].map(
        lambda receiver: "none" if receiver == "none" else "unknown"
    )
    if "codec" in frame:
        for column, cells in (("codec_label", frame["codec"]), ("objective", "mse")):
            if column not in frame:
                frame[column] = cells
    return frame
