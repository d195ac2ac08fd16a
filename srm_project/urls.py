"""All routes."""

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from controls.views import addresses, invitations
from srm_project import health, public_views, saml_views, sign_on

urlpatterns = [
    path("", include("controls.urls")),
    path("", include("evidence.views.urls")),
    path("accounts/login/", public_views.SignIn.as_view(), name="account_login"),
    path("accounts/logout/", public_views.SignOut.as_view(), name="account_logout"),
    path(
        "accounts/password/reset/",
        public_views.ForgottenPassword.as_view(),
        name="account_reset_password",
    ),
    path("accounts/email/", addresses.address, name="account_email"),
    re_path(
        r"^accounts/confirm-email/(?P<key>[-:\w]+)/$",
        addresses.address_confirm,
        name="account_confirm_email",
    ),
    re_path(
        r"^accounts/invitations/(?P<key>[-:.\w]+)/$",
        invitations.invitation,
        name="invitation",
    ),
    path("accounts/sign-on/", sign_on.sign_on, name="sign_on"),
    path(
        "accounts/sign-on/callback/",
        sign_on.sign_on_callback,
        name="sign_on_callback",
    ),
    path("accounts/sign-on/saml/", saml_views.saml_response, name="saml_response"),
    path("accounts/sign-on/saml/back/", saml_views.saml_return, name="saml_return"),
    path(
        "accounts/sign-on/saml/metadata/",
        saml_views.saml_metadata,
        name="saml_metadata",
    ),
    path("csp-report/", public_views.csp_report, name="csp_report"),
    path("favicon.ico", public_views.icon),
    # Not allauth.urls: single sign-on has the doors above and no others.
    path("accounts/", include("allauth.account.urls")),
    path("accounts/2fa/", include("allauth.mfa.urls")),
    path("accounts/sessions/", include("allauth.usersessions.urls")),
    path("admin/login/", health.admin_sign_in),
    path("admin/", admin.site.urls),
    path("api/v1/", include("evidence.api.urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path(
        "api/docs/",
        SpectacularSwaggerSplitView.as_view(url_name="schema"),
        name="api_docs",
    ),
    path("livez", login_not_required(health.livez)),
    path("readyz", login_not_required(health.readyz)),
]

handler400 = "srm_project.errors.unreadable"
handler403 = "srm_project.errors.refused"
handler404 = "srm_project.errors.absent"
handler500 = "srm_project.errors.unexpected"
