from django.urls import path

from blotter.views import PAGES, page

urlpatterns = [
    path(address, page, {"source": source}, name="blotter" if address == "" else address[:-1])
    for address, source in PAGES.items()
]
