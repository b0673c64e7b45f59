"""The admin's site and the base classes of its pages. Who may what in them says the table of
authorization; a class may only refuse more."""

from typing import Any, Generic, TypeVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from kernel import clock, confirmation
from kernel.authorization import NOBODY, Pages, table
from kernel.confirmation import Question

M = TypeVar("M", bound=Model)
_NONE = Pages(see=NOBODY)


class ByTable:
    """Before a class of Django's: its permissions are the table's. What it does not name is for
    nobody."""

    opts: Any

    def _pages(self) -> Pages:
        return table().admin.get(self.opts.label_lower, _NONE)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        pages, user = self._pages(), request.user
        return any(rule.admits(user) for rule in (pages.see, pages.change))

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._pages().add.admits(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._pages().change.admits(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._pages().delete.admits(request.user)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)


class PagesByTable(ByTable):
    """Before a ModelAdmin of Django's or of another app."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """As the other pages: who may not see is refused, whether or not there is such a row."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found: HttpResponse = super().history_view(request, object_id, extra_context)  # type: ignore[misc]
        return found


class TableAdmin(PagesByTable, admin.ModelAdmin[Any]):
    """The base of our own pages."""


class ConfirmedForm(forms.ModelForm[M], Generic[M]):
    """A form that asks about what is unusual before it is saved: saving the same again confirms."""

    user: Any
    confirm = forms.CharField(required=False, widget=forms.HiddenInput)

    def ask(self, asked: Question) -> None:
        """Show the doubts unless they are confirmed; the form then carries the token."""
        now = clock.now()
        if confirmation.is_confirmed(asked, token=self.cleaned_data.get("confirm"), now=now):
            return
        question = confirmation.required(asked, now=now)
        for doubt in asked.doubts:
            self.add_error(doubt.attr, f"{doubt.detail} Save again to confirm.")
        self.data = {**self.data.dict(), self.add_prefix("confirm"): question.token}  # type: ignore[attr-defined]


class ConfirmedAdmin(TableAdmin):
    """For forms that ask: they must know who is asked."""

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any
    ) -> Any:
        form = super().get_form(request, obj, change=change, **options)
        return type(form.__name__, (form,), {"user": request.user})


class TableInline(ByTable, admin.TabularInline[Any, Any]):
    """Rows of another model on a model's page: asked for as that other model."""


class Site(admin.AdminSite):
    """Asks the table for whatever is registered, also by others' apps."""

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        of = admin_class or admin.ModelAdmin
        if not issubclass(of, ByTable):
            of = type(of.__name__, (PagesByTable, of), {"__module__": of.__module__})
        super().register(model_or_iterable, of, **options)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A page of its own, that knows passwords alone, or none where the other knows more."""
        if not settings.ONE_LOGIN_PAGE:
            return super().login(request, extra_context)
        wanted = request.GET.get("next") or reverse("admin:index")
        if not request.user.is_authenticated:
            return redirect_to_login(wanted)
        if not self.has_permission(request):
            raise PermissionDenied
        return redirect("admin:index")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """On one page for all, which counts wrong ones."""
        return redirect("password_change")
