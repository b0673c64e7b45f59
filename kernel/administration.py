"""Django's admin with our own site."""

from django.contrib.admin.apps import AdminConfig


class Administration(AdminConfig):
    default_site = "kernel.admin.Site"
