"""Levels that a person expects of the best-known names, in USD as of late 2025: the simulated
source moves about them, so that the first screen makes sense. Made-up prices all the same."""

from collections.abc import Mapping
from decimal import Decimal

LEVELS: Mapping[str, Decimal] = {
    ticker: Decimal(level)
    for ticker, level in (
        line.split()
        for line in """
        AAPL 275
        ABBV 228
        ADBE 340
        AMD 215
        AMZN 230
        AVGO 380
        BA 200
        BAC 54
        BRK.B 500
        CAT 590
        COP 92
        COST 900
        CRM 240
        CSCO 77
        CVX 150
        DE 475
        DIS 108
        GE 295
        GOOGL 310
        GS 830
        HD 350
        HON 195
        IBM 308
        INTC 40
        JNJ 205
        JPM 310
        KO 71
        LLY 1050
        MA 545
        MCD 308
        META 650
        MRK 100
        MS 175
        MSFT 480
        NFLX 97
        NKE 65
        NVDA 180
        ORCL 200
        PEP 147
        PFE 25.5
        PG 145
        QCOM 172
        TSLA 440
        UNH 330
        UNP 235
        V 335
        VZ 40.5
        WFC 87
        WMT 113
        XOM 116
        """.strip().splitlines()
    )
}
