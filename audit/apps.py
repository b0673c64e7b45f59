from typing import Any

from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.db.backends.signals import connection_created


class AuditConfig(AppConfig):
    name = "audit"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from audit import logins
        from audit.telling import tell_who

        def told(*, connection: Any, **_: Any) -> None:
            if tell_who not in connection.execute_wrappers:
                connection.execute_wrappers.append(tell_who)

        connection_created.connect(told, weak=False, dispatch_uid="audit.telling")
        user_logged_in.connect(logins.logged_in, dispatch_uid="audit.logged_in")
        user_logged_out.connect(logins.logged_out, dispatch_uid="audit.logged_out")
