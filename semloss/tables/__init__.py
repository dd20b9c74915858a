"""Tidy tables of measurements: schema, writing, reading with checks.

``metrics`` has one row per (cell, test SNR, task, receiver, metric):

==============  ========  ====================================================================
column          unit      meaning
==============  ========  ====================================================================
cell            text      name of the trained grid point
source          text      image source
codec           text      codec kind
codec_label     text      codec kind with its changed options
objective       text      what the codec was trained for, e.g. ``mse``
channel         text      channel label, e.g. ``awgn``
cr              1         realised CR = k/n, complex channel uses per real source sample
cr_nominal      1         CR asked for
train_snr_db    dB        Es/N0 per complex symbol the codec was trained at; empty: a range
snr_db          dB        Es/N0 per complex symbol it was tested at
seed            integer   seed of training
task            text      task model that answered, ``none`` for an image metric
receiver        text      ``none`` (image metric), or what the model was trained on: ``clean``,
                          ``matched`` (this cell's receptions), ``deployable`` (the whole grid's)
metric          text      e.g. ``psnr_db``, ``ssim``, ``accuracy``
value           metric    mean over the test images
sd              metric    spread over the test images
n               images    number of test images that the value is about
se              metric    standard error of `value`, sd / sqrt(n)
direction       text      ``higher`` or ``lower`` is better
floor           metric    value when nothing gets through (chance); empty where unknown
ceiling         metric    value on clean images; empty where unknown
status          text      ``ok``, ``retried`` or ``diverged`` (left out of fits, by name)
==============  ========  ====================================================================

``cells`` has one row per trained grid point: `cell` … `train_snr_db`, `snr_db` (the grid's),
`seed` and `status` as above, and

==================  =======  ====================================================================
setting             text     what makes the codec send so many symbols, e.g. ``filters=8``
k                   integer  complex channel uses per image
strategy            text     ``warm``, ``independent``, ``range``, ``plane`` or ``none``: how it was
                             trained, by itself or once for all SNR, or for all SNR and CR
attempts            text     trainings that failed and what was changed, "; " between
lr                  1        learning rate of the training that held
steps               integer  its optimiser steps
validation_psnr_db  dB       mean PSNR on the validation images, over both of two networks
codec_cpu_s         s        processor time spent on the codec
receiver_cpu_s      s        processor time spent on the matched task models
encoder_weights     integer  learnt numbers of the modules that are at work while an image is sent
encoder_macs        integer  multiply-accumulates of their convolutions and linear layers, an image
encoder_cpu_ms      ms       processor time of an image encoded alone; empty on a GPU
device, precision   text     where and in which arithmetic it was trained
threads             integer  processor threads of the training
key                 text     content key under which the cell is kept
==================  =======  ====================================================================

A file ``metrics.outcomes.npz`` beside ``metrics`` holds what became of each test image
(`semloss.outcomes`).

This is schema 2 (`SCHEMA`; a run's ``environment.json`` says it as ``table_schema``). Tables of
schema 1, whose ``task`` told the receiver, are read too (`tables.older`).
Any CSV or parquet with columns ``cr, snr_db, metric, value`` is a table too; `cr` may be written
"1/12" there, and `sd`, `n`, `se`, `seed`, `direction`, `floor`, `ceiling` are used where present.
Columns of other names or units, and one column per metric, are mapped; wide tables, several files,
values written with their error and rows per image are read as well (`load_table`).
"""

from semloss.tables.columns import parse_columns
from semloss.tables.loading import load_table
from semloss.tables.schema import CELLS_COLUMNS, METRICS_COLUMNS, SCHEMA
from semloss.tables.writing import write_tables

__all__ = [
    "CELLS_COLUMNS", "METRICS_COLUMNS", "SCHEMA", "load_table", "parse_columns", "write_tables",
]  # fmt: skip
