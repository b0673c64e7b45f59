"""The page."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie


@login_required
@ensure_csrf_cookie
def page(request: HttpRequest) -> HttpResponse:
    boot = {
        "user": request.user.get_username(),
        "is_staff": request.user.is_staff,
        "accounts": None,
    }
    return render(request, "blotter/page.html", {"boot": boot})
