from django.apps import AppConfig


class PricesConfig(AppConfig):
    name = "prices"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from prices import checks  # noqa: F401 - registers them
