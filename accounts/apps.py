from django.apps import AppConfig
from django.contrib.auth.signals import user_logged_in


class AccountsConfig(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from accounts.browser_sessions import logged_in

        user_logged_in.connect(logged_in, dispatch_uid="accounts.logged_in")
