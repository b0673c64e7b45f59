"""Swagger UI, with its script in a file of its own: the pages' policy runs no other."""

from drf_spectacular.views import SpectacularSwaggerSplitView


class ApiDocsView(SpectacularSwaggerSplitView):
    # REST framework would describe the view, for which there is no template.
    http_method_names = ["get", "head"]
