"""A preview as it is answered: over REST, and on a terminal."""

from kernel.api.rows import Row, moment, text
from kernel.errors import FieldError
from trades.imports.preview import Preview, PreviewRow


def _said(error: FieldError) -> Row:
    return {"code": error.code, "detail": error.detail, "attr": error.attr}


def _row(row: PreviewRow) -> Row:
    trade = row.trade
    return {
        "line": row.line,
        "cells": row.cells,
        "trade": None
        if trade is None
        else {
            **trade,
            "quantity": text(trade["quantity"]),
            "price": text(trade["price"]),
            "trade_date": trade["trade_date"] and trade["trade_date"].isoformat(),
            "executed_at": trade["executed_at"] and moment(trade["executed_at"]),
        },
        "passed_over": row.passed_over,
        "errors": [_said(error) for error in row.errors],
        "warnings": [_said(warning) for warning in row.warnings],
    }


def preview_out(found: Preview) -> Row:
    return {
        "digest": found.digest,
        "complete": found.is_complete,
        "size": found.size,
        **found.reading.told(),
        "asks": [
            {
                "code": ask.code,
                "detail": ask.detail,
                "attr": ask.attr,
                "choices": list(ask.choices),
                "examples": list(ask.examples),
            }
            for ask in found.asks
        ],
        "counts": found.counts,
        "duplicates": found.duplicates,
        "rows": [_row(row) for row in found.rows],
        "warnings": [_said(warning) for warning in found.warnings],
    }
