from django.urls import path

from blotter.token_page import token_end, tokens
from blotter.views import INSTRUMENT, PAGES, page

urlpatterns = [
    *(
        path(address, page, {"source": source}, name="blotter" if address == "" else address[:-1])
        for address, source in PAGES.items()
    ),
    path("i/<str:ticker>", page, {"source": INSTRUMENT}, name="instrument"),
    path("tokens/", tokens, name="tokens"),
    path("tokens/<int:token>/end/", token_end, name="token-end"),
]
