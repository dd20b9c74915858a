"""Whole ledgers as a planner reads them; sums and gains by hand in the comments."""

# ruff: noqa: E501 - a ledger is as wide as its notes
from known_surface import known
from planning_case import link, rainy

from semloss.planning.budget.ledger import ledger
from semloss.planning.planner import Link

# FSPL 92.448 + 20 log10(1694.6) + 20 log10(8.2) = 175.31; 290 (10^0.15 − 1) + 60 = 179.6 K;
# C/N0 = −1.50 − 175.31 − 3.00 + 23.46 + 228.60; 10 log10(5e7) = 76.99;
# 10 log10(1 + 10^((−4.73 − 1 − 20) / 10)) = 0.01; 5e7 / 1024 = 48,828.
WEAK = """\
EO

Transmitter
  + amplifier power                         P            -6.00 dBW       0.2512 W
  − output back-off                         OBO           0.00 dB
  − transmit line loss                      L_tx          1.50 dB
  + transmit antenna gain                   G_tx          6.00 dBi
  − transmit pointing loss                  L_p,tx        0.00 dB
  = EIRP                                    EIRP         -1.50 dBW

Path
    frequency                               f              8.2 GHz
    orbit height                            h            500.0 km
    station altitude                                       0.0 km
    elevation                               e             10.0 deg
    slant range                             d           1694.6 km
  − free-space loss                         FSPL        175.31 dB
    power flux density, clear sky           PFD        -137.07 dBW/m²

Atmosphere
  − gases                                   A_G           0.00 dB
  − clouds                                  A_C           0.00 dB
  − rain                                    A_R           0.00 dB
  − scintillation                           A_S           0.00 dB
  − polarisation                            L_pol         0.00 dB
  − other                                   L_o           3.00 dB

Receiver
    receive dish diameter                   D_rx             3 m
    aperture efficiency                     η              0.6
  + receive antenna gain                    G_rx         46.01 dBi       at 8.2 GHz
  − receive line loss                       L_rx          0.00 dB
    antenna temperature, clear sky          T_ant         60.0 K
    noise figure                            NF            1.50 dB
    system noise temperature                T_sys        179.6 K
  − system noise in dBK                                  22.54 dBK
  = figure of merit                         G/T          23.46 dB/K
  − receive pointing loss                   L_p,rx        0.00 dB
    received power, at the amplifier        C          -133.80 dBW
  − Boltzmann constant                      k          -228.60 dBW/K/Hz
  = carrier to noise density                C/N0         72.26 dBHz

Signal
    bandwidth                               B               60 MHz
    roll-off                                ρ              0.2
    symbol rate                             R_s     50,000,000 1/s
  − symbol rate in dBHz                                  76.99 dBHz
    noise in the symbol rate                kTB        -129.07 dBW
    carrier to noise in the bandwidth       C/N          -5.52 dB
  = symbol energy to noise density          E_s/N0       -4.73 dB
  − implementation loss                     L_im          1.00 dB
    carrier to interference                 C/I          20.00 dB
  − loss by interference                    L_I           0.01 dB
  = SNR, Es/N0 at the decoder               SNR          -5.74 dB

Image
    samples per image                       n           12,288           3 × 64 × 64
    compression ratio                       CR       0.0833333           1/12
    symbols per image                       k            1,024
    frame efficiency                        η_f              1
  = images per second                                   48,828 1/s
    source data of an image                            0.01229 MB        8 bit a sample
    source data per second                                 600 MB/s

Metric
  = predicted accuracy (clean)              M           0.3674           95 %, these images: 0.3589 … 0.3759
    95 % band, lower edge                               0.3589
    95 % band, upper edge                               0.3759
    inside the fitted domain                               yes           CR 1/40 … 1/4, SNR -8 … 12 dB
    target, at least                        M₀             0.6
  − SNR that the target needs               SNR₀         -1.06 dB        95 %, these images: -1.26 … -0.85 dB
  = margin in SNR to the target             M_SNR        -4.69 dB
  − margin to keep                                        1.00 dB
  = margin beyond it                                     -5.69 dB        NOT MET
    SNR that meets it with 90 % confidence               -0.92 dB
  = margin with 90 % confidence                          -4.82 dB        NOT MET"""

# Layers at 10 degrees: 1 / sin 10° = 5.759. Under rain 60 K · 10^−0.524 + 275 K (1 − 10^−0.524).
RAIN = """\
Rain

Transmitter
  + amplifier power                    P            -6.00 dBW       0.2512 W
  − output back-off                    OBO           2.00 dB
  − transmit line loss                 L_tx          1.50 dB
    transmit dish diameter             D_tx           0.3 m
    aperture efficiency                η             0.55
  + transmit antenna gain              G_tx         35.65 dBi       at 26 GHz
  − transmit pointing loss             L_p,tx        0.40 dB
  = EIRP                               EIRP         25.75 dBW

Path
    frequency                          f               26 GHz
    orbit height                       h            500.0 km
    station altitude                                  0.0 km
    elevation                          e             10.0 deg
    slant range                        d           1694.6 km
  − free-space loss                    FSPL        185.33 dB
    power flux density, clear sky      PFD        -109.82 dBW/m²

Atmosphere
  − gases                              A_G           0.58 dB        zenith loss / sin(elevation), not live
  − clouds                             A_C           1.15 dB        zenith loss / sin(elevation), not live
  − rain                               A_R           5.24 dB        exceeded 1 % of the year; P.618-13, not live
  − scintillation                      A_S           0.30 dB
  − polarisation                       L_pol         0.20 dB
  − other                              L_o           3.00 dB

Receiver
    receive dish diameter              D_rx             3 m
    aperture efficiency                η              0.6
  + receive antenna gain               G_rx         56.03 dBi       at 26 GHz
  − receive line loss                  L_rx          0.50 dB
    antenna temperature, clear sky     T_ant         60.0 K
    temperature of rain                T_m          275.0 K
    antenna temperature under rain     T_sky        210.6 K
    noise figure                       NF            1.50 dB
    system noise temperature           T_sys        338.9 K
  − system noise in dBK                             25.30 dBK
  = figure of merit                    G/T          30.23 dB/K
  − receive pointing loss              L_p,rx        0.30 dB
    received power, at the amplifier   C          -114.81 dBW
  − Boltzmann constant                 k          -228.60 dBW/K/Hz
  = carrier to noise density           C/N0         88.49 dBHz

Signal
    bandwidth                          B               60 MHz
    roll-off                           ρ              0.2
    symbol rate                        R_s     50,000,000 1/s
  − symbol rate in dBHz                             76.99 dBHz
    noise in the symbol rate           kTB        -126.31 dBW
    carrier to noise in the bandwidth  C/N          10.71 dB
  = symbol energy to noise density     E_s/N0       11.50 dB
  − implementation loss                L_im          0.00 dB
  = SNR, Es/N0 at the decoder          SNR          11.50 dB

Image
    samples per image                  n           12,288           3 × 64 × 64
    compression ratio                  CR       0.0833333           1/12
    symbols per image                  k            1,024
    frame efficiency                   η_f              1
  = images per second                              48,828 1/s
    source data of an image                       0.01229 MB        8 bit a sample
    source data per second                            600 MB/s

Metric
  = predicted accuracy (clean)         M           0.8867           95 %, these images: 0.8796 … 0.8939
    95 % band, lower edge                          0.8796
    95 % band, upper edge                          0.8939
    inside the fitted domain                          yes           CR 1/40 … 1/4, SNR -8 … 12 dB"""

# 92.448 + 20 log10(1944) + 20 log10(0.465) = 151.57; 10 log10(1.5e6) = 61.76.
BITS = """\
link

Transmitter
  + EIRP                           EIRP      -4.00 dBW       given

Path
    frequency                      f         0.465 GHz
    slant range                    d        1944.0 km
  − free-space loss                FSPL     151.57 dB
    power flux density, clear sky  PFD     -140.77 dBW/m²

Atmosphere
  − gases                          A_G        0.00 dB
  − clouds                         A_C        0.00 dB
  − rain                           A_R        0.00 dB
  − scintillation                  A_S        0.00 dB
  − polarisation                   L_pol      0.00 dB
  − other                          L_o        1.50 dB

Receiver
  + figure of merit                G/T        9.03 dB/K      given
  − receive pointing loss          L_p,rx     0.00 dB
  − Boltzmann constant             k       -228.60 dBW/K/Hz
  = carrier to noise density       C/N0      80.56 dBHz

Digital
    bit rate                       R_b         1.5 Mb/s
  − bit rate in dBHz                         61.76 dBHz      from C/N0
  = bit energy to noise density    E_b/N0    18.80 dB
  − implementation loss            L_im       0.00 dB
  − required                                 11.60 dB
  = margin                                    7.20 dB"""


def test_a_link_with_a_target_its_margin_and_a_confidence():
    weak = link(name="EO", implementation_loss_db=1.0, c_over_i_db=20.0, margin_db=1.0)
    answer = ledger(weak, known(), target=0.6, confidence=0.9)
    head, rows = answer.text().split("\nassumed ")
    assert head.splitlines() == [
        "accuracy (clean) = 0.3674 at CR 1/12 at SNR -5.74 dB   [95 %, these images: 0.3589 … 0.3759]",
        "0.6 needs SNR -0.92 dB with 90 % confidence   [95 %, these images: -1.26 … -0.85 dB]: -4.82 dB of margin where "
        "1 dB are to be kept, NOT MET",
        "inside the fitted domain, CR 1/40 … 1/4, SNR -8 … 12 dB",
    ]
    assert rows.endswith(f"\n{WEAK}")
    assert (answer.met, answer.in_domain) == (False, True)
    assert answer.place == "CR 1/12 at SNR -5.74 dB"
    assert answer.to_dict()["rows"] == answer.rows()
    assert answer.to_dict()["name"] == "EO"


def test_a_link_through_rain_and_layers():
    losses = {"gas_loss_db": 0.1, "cloud_loss_db": 0.2, "scintillation_loss_db": 0.3,
              "polarisation_loss_db": 0.2, "tx_pointing_loss_db": 0.4, "rx_pointing_loss_db": 0.3,
              "rx_line_loss_db": 0.5}  # fmt: skip
    dish = {"tx_gain_dbi": None, "tx_dish_m": 0.3, "tx_efficiency": 0.55}
    wet = rainy(name="Rain", obo_db=2.0, zenith_losses=True, **losses, **dish)
    assert ledger(wet, known()).text().endswith(f"\n{RAIN}")


def test_a_link_of_givens_that_carries_bits():
    bits = Link(
        freq_ghz=0.465, eirp_dbw=-4.0, range_km=1944.0, other_loss_db=1.5, g_over_t_db_k=9.03,
        bit_rate_mbps=1.5, required_eb_n0_db=11.6,
    )  # fmt: skip
    answer = ledger(bits)
    assert answer.text().startswith(f"{BITS}\nassumed ")  # rows first where no fit is asked
    assert (answer.met, answer.in_domain, answer.place, answer.domain) == (None, None, "", "")
