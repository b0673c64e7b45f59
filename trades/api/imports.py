"""CSV files of trades: uploaded here, booked by workers."""

import re
from collections.abc import Iterable
from functools import partial
from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
)
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.exports import exported
from kernel import clock
from kernel.api.pages import KeysetPages
from kernel.api.pagination import keyset_read
from kernel.api.queries import caller, refuse_unknown
from kernel.api.rows import Row
from kernel.api.serializers import (
    ConfirmField,
    MomentField,
    OneOf,
    StrictSerializer,
    TextField,
)
from kernel.errors import NotThere
from trades.api.bulk import UuidField
from trades.api.import_options import (
    ENVELOPE_BYTES,
    UPLOAD_PART,
    FlagText,
    OptionsIn,
    WholeText,
    options_said,
    refuse_large,
)
from trades.api.rows import import_row
from trades.imports.accept import Asked, import_accept
from trades.imports.csvfile import rejected_lines
from trades.imports.quotas import import_allowed
from trades.imports.undo import import_undo
from trades.models import GuardsMode, Import, ImportState
from trades.selectors import import_groups, import_seen, imports_page, imports_visible

PAGE_SIZE = 100


class ImportIn(OptionsIn):
    """`file` is a CSV file with a header: the fields that a booking needs, and any of its others,
    in any order and case, or a broker's. `client_import_id` makes a retry safe: choose a new UUID
    for each file. `digest` is a preview's: what is read otherwise is refused. `again`: the file,
    booked before, is meant once more."""

    group_size = WholeText(required=False, default=100)
    dry_run = FlagText(required=False, default=False)
    client_import_id = UuidField(required=False)
    digest = TextField(max_length=64, required=False)
    again = FlagText(required=False, default=False)
    guards = OneOf(GuardsMode.values, required=False, default=GuardsMode.WARN)


class UndoIn(StrictSerializer):
    reason = TextField(max_length=200)
    confirm = ConfirmField()


class ImportOut(serializers.Serializer[Any]):
    """An import as it is now. `rows_done` = `rows_booked` + `rows_rejected` +
    `rows_passed_over` + `rows_held`, but a dry run books none. `rows_warned` of those booked were
    warned of by guards; `rows_held` wait for somebody to book or drop them. While an undo runs the
    state is running and `undo_reason` is set."""

    id = serializers.UUIDField()
    state = serializers.ChoiceField(choices=ImportState.choices)
    file_name = serializers.CharField()
    size = serializers.IntegerField(help_text="In bytes.")
    group_size = serializers.IntegerField()
    dry_run = serializers.BooleanField()
    accepted_at = MomentField()
    started_at = MomentField(allow_null=True)
    finished_at = MomentField(allow_null=True)
    rows_total = serializers.IntegerField()
    rows_done = serializers.IntegerField()
    rows_booked = serializers.IntegerField()
    rows_rejected = serializers.IntegerField()
    rows_passed_over = serializers.IntegerField()
    guards = serializers.ChoiceField(choices=GuardsMode.values)
    rows_warned = serializers.IntegerField()
    rows_held = serializers.IntegerField()
    passed_over = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Rows that are no trades, by what they are: dividends, options, totals.",
    )
    reading = serializers.JSONField(
        help_text="How the file was read, as a preview says it: encoding, delimiter, header_line,"
        " profile, mapping, styles and the columns that were passed over; null for old imports."
    )
    rejected_further = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="Of the rejected rows that are not in errors.csv: how many, by code.",
    )
    rows_per_second = serializers.FloatField(allow_null=True)
    error = serializers.CharField(allow_blank=True)
    undo_reason = serializers.CharField(allow_blank=True)
    undone_by = serializers.CharField(allow_null=True)
    trades_cancelled = serializers.IntegerField()
    request_groups = serializers.ListField(child=serializers.UUIDField())


EXAMPLE = OpenApiExample(
    "An import of 250 rows",
    value={
        "id": "0190163d-8694-739b-aea5-966c26f8ad91",
        "state": "done",
        "file_name": "monday.csv",
        "size": 10873,
        "group_size": 100,
        "dry_run": False,
        "accepted_at": "2026-03-18T16:00:00Z",
        "started_at": "2026-03-18T16:00:00.120000Z",
        "finished_at": "2026-03-18T16:00:00.410000Z",
        "rows_total": 250,
        "rows_done": 250,
        "rows_booked": 249,
        "rows_rejected": 1,
        "rows_passed_over": 0,
        "passed_over": {},
        "guards": "warn",
        "rows_warned": 0,
        "rows_held": 0,
        "reading": None,
        "rejected_further": {},
        "rows_per_second": 862.1,
        "error": "",
        "undo_reason": "",
        "undone_by": None,
        "trades_cancelled": 0,
        "request_groups": [
            "4f3c2a9e-8a53-5c57-9f0b-0d8a4f5b6c7d",
            "6b1f0c52-0a4e-5d3f-8f3c-2f1f6b7a9e10",
            "a1d9e7c4-53b2-5a08-9c65-7e0d4b2f8c33",
        ],
    },
    status_codes=["200", "202"],
    response_only=True,
)


def rows_out(jobs: Iterable[Import]) -> list[Row]:
    jobs = list(jobs)
    groups, now = import_groups(jobs), clock.now()
    return [import_row(job, now, groups[job.pk]) for job in jobs]


def own(request: Request, import_id: UUID) -> Import:
    job = imports_visible(caller(request)).filter(pk=import_id).first()
    if job is None:
        raise NotThere("There is no such import.")
    return job


def visible(request: Request, import_id: UUID) -> Import:
    """Also somebody else's, for who may correct all that it booked."""
    job = import_seen(caller(request), import_id)
    if job is None:
        raise NotThere("There is no such import.")
    return job


class ImportListView(APIView):
    parser_classes = [MultiPartParser]
    pagination_class = KeysetPages

    @extend_schema(
        operation_id="imports_list",
        summary="Your imports, newest first",
        responses=ImportOut(many=True),
        examples=[EXAMPLE],
    )
    def get(self, request: Request) -> Response:
        refuse_unknown(request, set())
        page, answer = keyset_read(
            request,
            partial(imports_page, caller(request)),
            key=lambda job: job.pk,
            default_size=PAGE_SIZE,
        )
        return answer(rows_out(page))

    @extend_schema(
        operation_id="imports_upload",
        summary="Import a CSV file of trades",
        description="Answers when the file is stored; a worker books it. What is wrong with the"
        " file as a whole is refused now (attr `file`); rows that cannot be booked are reported"
        " later, and the others are booked, in request groups of `group_size` rows. What has to be"
        " said of the file first, such as the order of its dates, is refused with the field that"
        " says it. The same bytes as an earlier import that stands, into the same accounts: 409"
        " `file_seen`, unless `again`. The same"
        " `client_import_id` with the same file and options again: 200 and that import as it is"
        " now; with others: 409. Who may book in no account gets 403; beyond what a user may have"
        " waiting, or send in a day, 429. Follow it by"
        ' its id, or by `{"type":"import"}` messages on the websocket.',
        request={"multipart/form-data": ImportIn},
        responses={
            202: ImportOut,
            200: OpenApiResponse(ImportOut, description="Accepted before"),
        },
        examples=[EXAMPLE],
    )
    def post(self, request: Request) -> Response:
        import_allowed(caller(request))
        refuse_large(request.META.get("CONTENT_LENGTH") or "0", ENVELOPE_BYTES)
        given = ImportIn(data=request.data)
        given.is_valid(raise_exception=True)
        said = given.validated_data
        file: UploadedFile = said["file"]
        refuse_large(str(file.size), 0)
        job, is_new = import_accept(
            user=caller(request),
            file_name=_name(file),
            read=partial(file.chunks, UPLOAD_PART),
            asked=Asked(
                said["group_size"],
                said["dry_run"],
                options_said(caller(request), said),
                said.get("digest"),
                said["again"],
                said["guards"],
            ),
            client_import_id=said.get("client_import_id"),
            now=clock.now(),
        )
        return Response(rows_out([job])[0], status=202 if is_new else 200)


def _name(file: UploadedFile) -> str:
    return re.sub("[\x00-\x1f\x7f-\x9f\ud800-\udfff]", "", file.name or "")[:200]


class ImportView(APIView):
    @extend_schema(
        operation_id="imports_read",
        summary="One import: its state, progress and request groups",
        responses=ImportOut,
        examples=[EXAMPLE],
    )
    def get(self, request: Request, import_id: UUID) -> Response:
        return Response(rows_out([visible(request, import_id)])[0])


class ImportErrorsView(APIView):
    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:
        """The file is no renderer's work, so whoever asks for text/csv has asked for it."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(
        operation_id="imports_errors",
        summary="The rejected rows as CSV, each with its line and reason",
        description="Of your own imports: the first 1,000 rows, or fewer where they would take more"
        " than twice the file's size; the import says how many others there are. They are kept as"
        " long as the file. The first two columns are passed over by an import, so"
        " that the file can be mended and uploaded again. A cell that a spreadsheet would take for"
        " a formula has an apostrophe before it; beside those two columns an import takes it off.",
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)},
        examples=[
            OpenApiExample(
                "A ticker that is none",
                value="rejected_line,rejected_because,ticker,account,side,quantity,price\r\n"
                "3,ticker: This ticker is not known.,IMB,Test1,buy,10,143.50\r\n",
                media_type="text/csv",
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, import_id: UUID) -> StreamingHttpResponse:
        # What the uploader typed may name accounts that nobody else may know of.
        job = own(request, import_id)
        exported(f"rejected rows of {job.pk}", "csv", request._request)
        rows = job.rejections.order_by("line").values_list("line", "reason", "cells")
        answer = StreamingHttpResponse(
            rejected_lines(job.columns, rows.iterator(2000)),
            content_type="text/csv; charset=utf-8",
        )
        answer["Content-Disposition"] = f'attachment; filename="rejected-{job.pk}.csv"'
        return answer


class ImportUndoView(APIView):
    @extend_schema(
        operation_id="imports_undo",
        summary="Undo an import: cancel all of its trades",
        description="All or nothing: 400 `short_position` when an account that may not go short"
        " would end below zero. Each trade gets a cancelled version with the reason. A worker does"
        " it: the state is running, then undone.",
        request=UndoIn,
        responses={202: ImportOut},
        examples=[
            OpenApiExample("Wrong file", value={"reason": "wrong file"}, request_only=True),
            EXAMPLE,
        ],
    )
    def post(self, request: Request, import_id: UUID) -> Response:
        job = visible(request, import_id)
        given = UndoIn(data=request.data)
        given.is_valid(raise_exception=True)
        import_undo(
            user=caller(request),
            import_id=job.pk,
            reason=given.validated_data["reason"],
            confirm=given.validated_data.get("confirm"),
            now=clock.now(),
        )
        return Response(rows_out([visible(request, import_id)])[0], status=202)
