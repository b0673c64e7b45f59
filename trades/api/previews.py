"""Files of trades as they would be read, and the profiles that there are."""

from functools import partial
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from kernel import clock
from kernel.api.queries import caller
from trades.api.import_options import (
    ENVELOPE_BYTES,
    UPLOAD_PART,
    FlagText,
    options_said,
    refuse_large,
)
from trades.api.imports import ImportIn
from trades.imports.accept import Hashed
from trades.imports.preview import import_preview
from trades.imports.preview_rows import preview_out
from trades.imports.quotas import import_allowed
from trades.imports.reading.profiles import PROFILES


class PreviewIn(ImportIn):
    """As an import: what says nothing of the reading makes no difference. `beginning`: `file` is
    the first bytes of a larger one, cut anywhere; no more than a quarter of them is read."""

    beginning = FlagText(required=False, default=False)


class SaidOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()
    attr = serializers.CharField(allow_null=True)


class SuggestedOut(serializers.Serializer[Any]):
    column = serializers.CharField()
    field = serializers.CharField()


class AskOut(SaidOut):
    """`suggested` is what columns that are not known probably mean: a `mapping` says so."""

    choices = serializers.ListField(child=serializers.CharField())
    examples = serializers.ListField(child=serializers.CharField())
    suggested = SuggestedOut(many=True)


class ColumnOut(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    column = serializers.CharField(allow_blank=True)
    field = serializers.CharField(allow_null=True)


class PreviewRowOut(serializers.Serializer[Any]):
    """`trade` is what would be booked, its terms by name; `passed_over` the kind of a row that is
    none."""

    line = serializers.IntegerField()
    cells = serializers.ListField(child=serializers.CharField(allow_blank=True))
    trade = serializers.DictField(allow_null=True)
    passed_over = serializers.CharField(allow_null=True)
    errors = SaidOut(many=True)  # type: ignore[assignment]  # a field, as the others
    warnings = SaidOut(many=True)


class StylesOut(serializers.Serializer[Any]):
    """`decimal` is the sign by field; `date_order` the order by field and separator."""

    decimal = serializers.DictField(child=serializers.CharField())
    date_order = serializers.DictField()
    timezone = serializers.CharField()
    order = serializers.CharField()
    account = serializers.CharField(allow_null=True)


class CountsOut(serializers.Serializer[Any]):
    """Of what was read. An import would find no other where `judged` equals `rows`; else the first
    rows were judged, and the others only read."""

    rows = serializers.IntegerField()
    trades = serializers.IntegerField()
    rejected = serializers.IntegerField()
    passed_over = serializers.DictField(child=serializers.IntegerField())
    judged = serializers.IntegerField()


class PreviewOut(serializers.Serializer[Any]):
    """How a file would be read. `digest` goes with the import, which then reads it so or not at
    all; it is null while something has to be said first, `asks`, each with the field for it, and
    of a `beginning`."""

    digest = serializers.CharField(allow_null=True)
    complete = serializers.BooleanField()
    size = serializers.IntegerField()
    encoding = serializers.CharField()
    delimiter = serializers.CharField()
    header_line = serializers.IntegerField()
    profile = serializers.CharField(allow_null=True)
    mapping = ColumnOut(many=True)
    columns_passed_over = serializers.ListField(child=serializers.CharField())
    styles = StylesOut()
    asks = AskOut(many=True)
    counts = CountsOut()
    duplicates = serializers.IntegerField(
        help_text="Of the rows judged: how many are booked already, or probably so."
    )
    rows = PreviewRowOut(many=True)
    warnings = SaidOut(many=True)


class ProfileOut(serializers.Serializer[Any]):
    name = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field, as the others
    timezone = serializers.CharField()
    columns = serializers.DictField(child=serializers.CharField())
    tells = serializers.CharField(allow_blank=True)
    sample = serializers.CharField()


EXAMPLE = OpenApiExample(
    "A file with decimal commas",
    value={
        "digest": "7c1f0d0c2b8f4f0b9a1e6f3d2c5b4a39281706f5e4d3c2b1a0998877665544ff",
        "complete": True,
        "size": 61,
        "encoding": "utf-8",
        "delimiter": ";",
        "header_line": 1,
        "profile": None,
        "mapping": [
            {"number": 1, "column": "ticker", "field": "ticker"},
            {"number": 2, "column": "account", "field": "account"},
            {"number": 3, "column": "side", "field": "side"},
            {"number": 4, "column": "quantity", "field": "quantity"},
            {"number": 5, "column": "price", "field": "price"},
        ],
        "columns_passed_over": [],
        "styles": {
            "decimal": {"quantity": ",", "price": ","},
            "date_order": {},
            "timezone": "America/New_York",
            "order": "oldest_first",
            "account": None,
        },
        "asks": [],
        "counts": {"rows": 1, "trades": 1, "rejected": 0, "passed_over": {}, "judged": 1},
        "duplicates": 0,
        "rows": [
            {
                "line": 2,
                "cells": ["IBM", "Test1", "buy", "1.250", "143,50"],
                "trade": {
                    "account": "Test1", "ticker": "IBM", "side": "buy", "quantity": "1250",
                    "price": "143.50", "trade_date": "2026-03-18",
                    "executed_at": "2026-03-18T16:00:00Z", "client_trade_id": None, "note": "",
                },
                "passed_over": None,
                "errors": [],
                "warnings": [],
            }
        ],
        "warnings": [],
    },
    response_only=True,
)  # fmt: skip


class ImportPreviewView(APIView):
    parser_classes = [MultiPartParser]

    @extend_schema(
        operation_id="imports_preview",
        summary="How a file of trades would be read",
        description="Takes what an import takes, and stores nothing. Says the encoding, the"
        " delimiter, the line of the header, what each column means and how numbers and dates are"
        " written; the first rows as they were read, each with what is wrong with it; and a"
        " `digest`: an import that is sent it reads the file so, or is refused with 409"
        " `reading_changed`. What nothing in the file decides is in `asks`, and has to be said. Of"
        " a file above 10 MB the first 2 MB are read, and `complete` is false. A large file is"
        " seen at once by its first bytes (512 kB will do), sent with `beginning=true`; its"
        " `digest` comes with all of it.",
        request={"multipart/form-data": PreviewIn},
        responses=PreviewOut,
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        import_allowed(caller(request))
        refuse_large(request.META.get("CONTENT_LENGTH") or "0", ENVELOPE_BYTES)
        given = PreviewIn(data=request.data)
        given.is_valid(raise_exception=True)
        file: UploadedFile = given.validated_data["file"]
        refuse_large(str(file.size), 0)
        found = import_preview(
            user=caller(request),
            file=Hashed(partial(file.chunks, UPLOAD_PART)),
            size=file.size or 0,
            options=options_said(caller(request), given.validated_data),
            is_beginning=given.validated_data["beginning"],
            now=clock.now(),
        )
        return Response(preview_out(found))


class ImportProfilesView(APIView):
    @extend_schema(
        operation_id="imports_profiles",
        summary="The sources of files that are known, each with a made-up sample",
        responses=ProfileOut(many=True),
        examples=[
            OpenApiExample(
                "One of them",
                value=[
                    {
                        "name": "reference",
                        "label": "The reference system",
                        "timezone": "America/New_York",
                        "columns": {"ticker": "ticker", "shares": "quantity"},
                        "tells": "Its ID is the identity of a trade.",
                        "sample": "ID,Ticker,Account,Buy Or Sell,Shares,Price\\n",
                    }
                ],
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> Response:
        return Response(
            [
                {
                    "name": each.name,
                    "label": each.label,
                    "timezone": each.zone,
                    "columns": dict(each.columns),
                    "tells": each.tells,
                    "sample": each.sample,
                }
                for each in PROFILES
            ]
        )
