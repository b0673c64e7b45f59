"""Settings of the doors: who gets in, by what, and how often one may try."""

from eqtrade.environment import env
from eqtrade.oidc_provider import oidc_providers, origins
from eqtrade.secret_files import secret

AUTHENTICATION_BACKENDS = ["accounts.backends.CallerBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
# Who may try a password (docs/concepts/admission.md): so many wrong ones in 15 minutes of a name
# from an address, of a name from anywhere, from an address. AXES_… is django-axes's.
LOGIN_WRONG_PAIR = env.int("LOGIN_WRONG_PAIR", default=5)
LOGIN_WRONG_NAME = env.int("LOGIN_WRONG_NAME", default=30)
LOGIN_WRONG_ADDRESS = env.int("LOGIN_WRONG_ADDRESS", default=100)
# So many passwords are hashed at a time in each process, and so many wait for that.
LOGIN_HASHES_AT_ONCE = env.int("LOGIN_HASHES_AT_ONCE", default=1)
LOGIN_HASHES_WAITING = env.int("LOGIN_HASHES_WAITING", default=3)
LOGIN_REFUSED_TEMPLATE = "registration/refused.html"
# The proxies whose word on a caller's address is taken, as ranges; a unix socket's always is.
TRUSTED_PEERS = env.str("TRUSTED_PEERS", default="").split()
AXES_HANDLER = "accounts.doors.DoorHandler"
AXES_CLIENT_IP_CALLABLE = "accounts.addresses.counted_address"
AXES_LOCKOUT_CALLABLE = "accounts.doors.refusal_answer"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False

# Who has a second factor (docs/concepts/second-factor.md): off, offered, staff or everyone.
SECOND_FACTOR = env.str("SECOND_FACTOR", default="off")
ACCOUNT_ADAPTER = "accounts.login_adapters.LoginAdapter"
# Counted at our own doors instead, in the database.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_EMAIL_VERIFICATION = "none"
MFA_ADAPTER = "accounts.login_adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "accounts.code_forms.CodeForm",
    "reauthenticate": "accounts.code_forms.CodeAgainForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_RECOVERY_CODES_SHOW_ONCE = True
MFA_TOTP_ISSUER = env.str("SECOND_FACTOR_ISSUER", default="eqtrade")
# Telephones' clocks are some seconds off.
MFA_TOTP_TOLERANCE = 1

# Login by OIDC: the provider's address, without which there is none; how this system is known
# there; which claim names the user at their first login; what the button says; and further origins
# that the provider sends a browser to on its way.
OIDC_ISSUER = env.str("OIDC_ISSUER", default="")
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = secret("OIDC_CLIENT_SECRET")
OIDC_USERNAME_CLAIM = env.str("OIDC_USERNAME_CLAIM", default="preferred_username")
OIDC_NAME = env.str("OIDC_NAME", default="single sign-on")
OIDC_ORIGINS = origins(OIDC_ISSUER, env.str("OIDC_ORIGINS", default="").split())
# The admin's own login page knows passwords alone.
ONE_LOGIN_PAGE = SECOND_FACTOR != "off" or OIDC_ISSUER != ""
SOCIALACCOUNT_ADAPTER = "accounts.login_adapters.IdentityAdapter"
SOCIALACCOUNT_PROVIDERS = oidc_providers(OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET, OIDC_NAME)

# Where a name, a password or a code is sent to.
LOGIN_DOORS = (
    "/api/v1/token/",
    "/login/",
    "/admin/login/",
    "/password/",
    "/reauthenticate/",
    "/second-factor/authenticate/",
    "/second-factor/reauthenticate/",
    "/second-factor/totp/activate/",
)
