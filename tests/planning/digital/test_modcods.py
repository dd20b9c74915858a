"""The digital chain: DVB-S2's table, a source codec's curve, and what they make of an SNR."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import PchipInterpolator
from scipy.optimize import brentq
from scipy.special import logsumexp

from semloss.codecs.constellations import constellation
from semloss.errors import SemlossError
from semloss.modcods import (
    CCSDS_131_2,
    DVB_S2,
    DVB_S2X,
    best_modcod,
    efficiency,
    modcod,
    read_modcods,
    shannon,
    snr_for_efficiency,
)
from semloss.planning.digital.rate_curve import RateCurve, equivalent_cr, pchip

#: EN 302 307-1 Table 13, normal frame: efficiency @ Es/N0.
TABLE_13 = """
QPSK 1/4 .490243@-2.35, 1/3 .656448@-1.24, 2/5 .789412@-0.30, 1/2 .988858@1.00, 3/5 1.188304@2.23,
2/3 1.322253@3.10, 3/4 1.487473@4.03, 4/5 1.587196@4.68, 5/6 1.654663@5.18, 8/9 1.766451@6.20,
9/10 1.788612@6.42; 8PSK 3/5 1.779991@5.50, 2/3 1.980636@6.62, 3/4 2.228124@7.91,
5/6 2.478562@9.35, 8/9 2.646012@10.69, 9/10 2.679207@10.98; 16APSK 2/3 2.637201@8.97,
3/4 2.966728@10.21, 4/5 3.165623@11.03, 5/6 3.300184@11.61, 8/9 3.523143@12.89,
9/10 3.567342@13.13; 32APSK 3/4 3.703295@12.73, 4/5 3.951571@13.64, 5/6 4.119540@14.28,
8/9 4.397854@15.69, 9/10 4.453027@16.05
"""
SNRS = st.floats(-10, 25)


def test_the_table_is_that_of_the_standard():
    expected = []
    for family in TABLE_13.replace("\n", " ").split(";"):
        modulation, *rest = family.split()
        for code, point in zip(rest[::2], rest[1::2], strict=True):
            eta, snr_db = point.rstrip(",").split("@")
            expected.append((f"{modulation} {code}", float(eta), float(snr_db)))
    assert [(m.name, m.efficiency, m.es_n0_db) for m in DVB_S2.entries] == expected
    assert len(DVB_S2.entries) == 28


@pytest.mark.parametrize(
    ("snr_db", "margin_db", "name"),
    [
        (-2.35, 0.0, "QPSK 1/4"),
        (6.3, 0.0, "8PSK 3/5"),  # QPSK 8/9 closes as well and carries less
        (6.42, 0.0, "QPSK 9/10"),
        (10.98, 0.0, "16APSK 3/4"),  # 8PSK 9/10 has just become feasible
        (40.0, 0.0, "32APSK 9/10"),
        (10.0, 1.0, "16APSK 2/3"),
    ],
)
def test_the_most_efficient_feasible_modcod_is_taken(snr_db, margin_db, name):
    assert best_modcod(snr_db, margin_db).name == name


def test_below_the_weakest_threshold_nothing_closes():
    assert best_modcod(-2.36) is None
    assert efficiency(-2.36) == 0.0


@given(SNRS, st.floats(0, 5))
def test_arrays_agree_with_the_single_choice(snr_db, margin_db):
    chosen = best_modcod(snr_db, margin_db)
    assert efficiency([snr_db], margin_db)[0] == (0.0 if chosen is None else chosen.efficiency)


@given(st.floats(0.01, 4.45), st.floats(0, 5))
def test_the_snr_for_an_efficiency_suffices_and_less_does_not(needed, margin_db):
    snr_db = float(snr_for_efficiency(needed, margin_db))
    assert efficiency(snr_db, margin_db) >= needed
    assert efficiency(snr_db - 0.001, margin_db) < needed


def test_no_modcod_beats_shannon_and_none_carries_the_impossible():
    assert all(m.efficiency < shannon(m.es_n0_db) for m in DVB_S2.entries)
    assert np.isinf(snr_for_efficiency(4.46))


def test_modcods_are_named_as_people_write_them():
    assert modcod(" qpsk  1/2").efficiency == 0.988858
    with pytest.raises(SemlossError, match="8PSK 5/6"):
        modcod("QPSK 7/8")


def test_equivalent_cr_counts_the_symbols_of_an_image():
    # 64 x 64 x 3 at 0.5 bit/pixel over QPSK 1/2: 2048 bits, 2071.1 symbols, 12288 samples.
    assert equivalent_cr(0.5, 0.988858, 3) == pytest.approx(0.5 * 4096 / 0.988858 / 12288)
    assert np.isinf(equivalent_cr(0.5, 0.0, 3))


@given(
    st.lists(st.floats(0, 10), min_size=2, max_size=9),
    st.lists(st.floats(0.1, 3), min_size=9, max_size=9),
)
def test_pchip_is_that_of_scipy(values, steps):
    y = np.sort(np.round(values, 6))
    x = np.cumsum(steps)[: len(y)]
    at = np.linspace(x[0], x[-1], 101)
    assert pchip(x, y, at) == pytest.approx(PchipInterpolator(x, y)(at), abs=1e-9)


def curve(**changes):
    given = {"bits_per_pixel": [0.2, 0.5, 1.0, 2.0], "value": [25.0, 29.0, 32.0, 36.0]}
    return RateCurve(**{**given, "metric": "psnr_db", **changes})


def test_a_curve_passes_through_its_points_and_ends_where_they_end():
    made = curve()
    assert made.at(made.bits_per_pixel) == pytest.approx(made.value)
    assert np.isnan(made.at(0.19))
    assert made.at(50.0) == 36.0
    assert np.all(np.diff(made.at(np.geomspace(0.2, 2, 200))) > 0)


@given(st.floats(25, 36))
def test_the_rate_for_a_target_meets_it_and_less_does_not(target):
    rate = float(curve().rate_for(target))
    assert curve().at(rate) >= target - 1e-9
    assert not curve().at(rate * 0.999) >= target  # nan below the lowest rate


def test_targets_beyond_the_curve_take_no_rate_and_the_lowest_rate():
    assert np.isinf(curve().rate_for(36.1))
    assert curve().rate_for(20.0) == 0.2
    falling = curve(value=[0.5, 0.3, 0.2, 0.1], direction="lower")
    assert np.isinf(falling.rate_for(0.05))
    assert falling.at(falling.rate_for(0.25)) == pytest.approx(0.25)


def test_a_worse_value_at_a_higher_rate_gives_way_to_the_smaller_file():
    assert list(curve(value=[25.0, 29.0, 28.5, 36.0]).value) == [25.0, 29.0, 29.0, 36.0]


def test_a_curve_is_read_from_bits_per_pixel_or_per_image(tmp_path):
    path = tmp_path / "j2k.csv"
    path.write_text("metric,value,bits_per_pixel\npsnr_db,30,1\npsnr_db,25,0.5\n")
    read = RateCurve.from_csv(path)
    assert (list(read.bits_per_pixel), read.codec, read.metric) == ([0.5, 1.0], "j2k", "psnr_db")
    assert not read.lowest_is_minimum
    path.write_text(
        "codec,metric,value,bits_per_image,height_px,width_px,codec_minimum\n"
        "webp,psnr_db,25,2048,64,64,1\nwebp,psnr_db,30,4096,64,64,0\n"
    )
    read = RateCurve.from_csv(path, metric="psnr_db")
    assert (list(read.bits_per_pixel), read.codec) == ([0.5, 1.0], "webp")
    assert read.lowest_is_minimum


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("bits_per_pixel,metric,value\n1,psnr_db,x\n2,psnr_db,3\n", "value = 'x'"),
        ("bits_per_pixel,metric,value\n1,ssim,0.5\n2,ssim,0.6\n", "no metric psnr_db; it holds"),
        ("bits_per_pixel,metric,value\n1,psnr_db,20\n", "two or more rates"),
        ("bits_per_pixel,metric,value\n1,psnr_db,20\n1,psnr_db,21\n", "a rate is given twice"),
        ("bits_per_pixel,metric,value\n-1,psnr_db,20\n1,psnr_db,21\n", "rates are above 0"),
        ("metric,value\npsnr_db,20\npsnr_db,21\n", "no column height_px"),
        ("a,b\n1,2\n", "a rate curve has columns bits_per_pixel, metric, value"),
        ("", "a rate curve has columns"),
        (
            "codec,bits_per_pixel,metric,value\na,1,psnr_db,20\nb,2,psnr_db,21\n",
            "choose a codec from a, b",
        ),
    ],
)
def test_a_bad_curve_is_refused_in_one_line(tmp_path, text, says):
    path = tmp_path / "curve.csv"
    path.write_text(text)
    with pytest.raises(SemlossError, match=says) as error:
        RateCurve.from_csv(path, metric="psnr_db")
    assert "\n" not in str(error.value)


def test_a_missing_curve_is_refused(tmp_path):
    with pytest.raises(SemlossError, match="cannot read rate curve"):
        RateCurve.from_csv(tmp_path / "none.csv")


#: Bits that a parity-check code of 64,800 takes beyond its rate: the outer code and its header.
_OUTER, _HEADER = 192, 80


def test_the_extensions_efficiencies_are_those_of_their_frames():
    """Bits of the frame over its symbols: 90 of the header, then slots of 90 without pilots."""
    bits = {"QPSK": 2, "8PSK": 3, "8APSK": 3, "16APSK": 4, "32APSK": 5, "64APSK": 6, "128APSK": 7,
            "256APSK": 8}  # fmt: skip
    shared = {"32APSK 2/3-L", "64APSK 5/6"}  # codes of DVB-S2 whose outer code takes 160 bits
    for one in DVB_S2X.entries[len(DVB_S2.entries) :]:
        modulation, rate = one.name.split()
        code = int(64_800 * Fraction(rate.removesuffix("-L")))
        carried = code - (160 if one.name in shared else _OUTER) - _HEADER
        slots = math.ceil(64_800 / bits[modulation] / 90)
        assert one.efficiency == pytest.approx(carried / (90 + 90 * slots), abs=1e-6), one.name


def test_the_extension_has_what_dvb_s2_has_and_never_does_worse():
    assert set(DVB_S2.entries) <= set(DVB_S2X.entries)
    assert len(DVB_S2X.entries) == 28 + 39
    assert all(m.efficiency < shannon(m.es_n0_db) for m in DVB_S2X.entries)
    snrs = np.linspace(-5, 22, 200)
    assert (efficiency(snrs, 0.0, DVB_S2X) >= efficiency(snrs)).all()
    assert efficiency(30.0, 0.0, DVB_S2X) > efficiency(30.0)
    assert best_modcod(-2.7, 0.0, DVB_S2X).name == "QPSK 2/9"
    assert modcod("256apsk 3/4", DVB_S2X).es_n0_db == 19.57


def capacity(points, snr_db):
    """Bits per symbol of equally likely points over AWGN, by Gauss-Hermite quadrature."""
    at, weight = np.polynomial.hermite.hermgauss(12)
    noise_power = 10 ** (-snr_db / 10)
    noise = np.sqrt(noise_power) * (at[:, None] + 1j * at).ravel()
    share = (weight[:, None] * weight).ravel() / np.pi
    points = np.array(points)
    away = np.abs(points[:, None, None] - points[:, None] + noise) ** 2 - np.abs(noise) ** 2
    lost = share @ logsumexp(-away / noise_power, axis=1).mean(axis=0)
    return math.log2(len(points)) - lost / math.log(2)


def gap_db(one, bits):
    """How far a threshold lies above the SNR at which the constellation could carry the bits."""
    points = constellation(one.name)
    return one.es_n0_db - brentq(lambda snr_db: capacity(points, snr_db) - bits, -8.0, 25.0)


def test_computed_thresholds_lie_as_far_above_capacity_as_published_ones():
    gaps = []
    for one in DVB_S2.entries:
        symbols = 64_800 / math.log2(len(constellation(one.name)))
        frame = 90 + 90 * math.ceil(symbols / 90)
        gaps.append(gap_db(one, (one.efficiency * frame + _HEADER) / symbols))
    assert np.median(gaps) == pytest.approx(0.9, abs=0.02)
    assert (min(gaps), max(gaps)) == pytest.approx((0.6, 1.5), abs=0.05)
    for one in CCSDS_131_2.entries[::3]:
        assert gap_db(one, one.efficiency * 129_920 / 16 / 8100) == pytest.approx(0.9, abs=0.01)


def test_formats_of_ccsds_are_those_of_their_interleavers():
    """K information bits give an interleaver of 3/2 (K + 2), a whole multiple of 120."""
    assert len(CCSDS_131_2.entries) == 27
    for one in CCSDS_131_2.entries:
        carried = one.efficiency * 129_920 / 16
        assert carried == pytest.approx(round(carried), abs=0.01)
        assert 3 * (round(carried) + 2) % 240 == 0
        assert one.efficiency < shannon(one.es_n0_db)
    assert "computed" in read_modcods("ccsds-131.2").name


HEADER = "# of a modem's data sheet\nname,efficiency,es_n0_db\n"


def test_a_table_is_read_from_a_file(tmp_path):
    path = tmp_path / "modem.csv"
    path.write_text(HEADER + "QPSK  1/2,0.98,1.2\n8PSK 2/3,1.97,6.9\n")
    table = read_modcods(str(path))
    assert [m.name for m in table.entries] == ["QPSK 1/2", "8PSK 2/3"]
    assert efficiency([0.0, 1.2, 7.0], 0.0, table).tolist() == [0.0, 0.98, 1.97]
    assert read_modcods("DVB-S2X") is DVB_S2X


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("8PSK 2/3,2.0,6\n8PSK 3/4,1.9,8\n",
         "8PSK 3/4 needs more SNR than 8PSK 2/3 and carries less, 1.9 of 2 bit/symbol"),
        ("QPSK 1/2,1,1\nQPSK 1/2,1,1\n", "QPSK 1/2 is there twice"),
        ("QPSK 1/2,0,1\n", "has efficiency 0: lies above 0"),
        ("QPSK 1/2,1,one\n", "QPSK 1/2 has es_n0_db = 'one'; give a number"),
        ("QPSK 1/2,1,99\n", "es_n0_db 99: lies in -50 … 60 dB"),
        ("", "a table of MODCODs has columns name, efficiency, es_n0_db"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_is_refused(tmp_path, rows, says):
    path = tmp_path / "modem.csv"
    path.write_text(HEADER + rows)
    with pytest.raises(SemlossError) as caught:
        read_modcods(str(path))
    assert says in str(caught.value)
    with pytest.raises(SemlossError, match=r"name dvb-s2, dvb-s2x, ccsds-131\.2, or a CSV"):
        read_modcods("dvb-s3")
