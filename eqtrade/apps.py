from django.apps import AppConfig


class EqtradeConfig(AppConfig):
    name = "eqtrade"

    def ready(self) -> None:
        from eqtrade import checks, server_checks  # noqa: F401 - registers the checks
        from eqtrade.listeners import listen

        listen()
