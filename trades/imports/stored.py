"""The reading of a file that its import was accepted with."""

from trades.imports.reading.names import columns_of
from trades.imports.reading.reading import Reading
from trades.models import Import


def reading_stored(job: Import) -> Reading:
    """As it was decided; of an import from before there were readings, by its columns alone."""
    if job.reading:
        return Reading.from_json(job.reading)
    columns = columns_of(job.columns, None, {"id": "client_trade_id"}, None)
    return Reading(
        encoding="utf-8", delimiter=",", header_line=1, names=columns.names, fields=columns.fields,
        place=job.place, line=job.line,
    )  # fmt: skip
