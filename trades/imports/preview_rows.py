"""A preview as it is answered: over REST, and on a terminal."""

from typing import Any

from kernel.api.rows import Row, moment, text
from kernel.errors import FieldError
from trades.imports.preview import Preview, PreviewRow
from trades.terms import BY_NAME, Kind


def _said(error: FieldError) -> Row:
    return {"code": error.code, "detail": error.detail, "attr": error.attr}


def _told(name: str, value: Any) -> Any:
    if value is None:
        return None
    match BY_NAME[name].kind:
        case Kind.AMOUNT:
            return text(value)
        case Kind.DAY:
            return value.isoformat()
        case Kind.MOMENT:
            return moment(value)
        case Kind.FEES:
            return [{"kind": fee.kind, "amount": text(fee.amount)} for fee in value]
    return value


def _row(row: PreviewRow) -> Row:
    trade = row.trade
    return {
        "line": row.line,
        "cells": row.cells,
        "trade": trade and {name: _told(name, value) for name, value in trade.items()},
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
                "suggested": [
                    {"column": column, "field": field} for column, field in ask.suggested
                ],
            }
            for ask in found.asks
        ],
        "counts": found.counts,
        "duplicates": found.duplicates,
        "rows": [_row(row) for row in found.rows],
        "warnings": [_said(warning) for warning in found.warnings],
    }
