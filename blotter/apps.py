from django.apps import AppConfig


class BlotterConfig(AppConfig):
    name = "blotter"
    default_auto_field = "django.db.models.BigAutoField"
