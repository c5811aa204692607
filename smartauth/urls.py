"""The whole map of the people's side. The machines' paths stand in smartauth/asgi.py."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path

from introspection.invalidate import InvalidateView
from introspection.report import ReportView
from oauth import discovery
from oauth.authorization.authorize import authorize
from oauth.authorization.consent import decide
from oauth.authorization.picker.encounters import choose_encounter
from oauth.authorization.picker.patients import choose_patient
from oauth.authorization.resume import resume
from oauth.authorization.wrong_user import wrong_user
from oauth.connected_apps.page import apps, end, end_all
from oauth.demo import home, sample_app
from oauth.demo.docs_page import docs_page
from oauth.demo.one_click import sign_in_as
from oauth.ehr_launch.api import LaunchView
from oauth.ehr_launch.launcher import launcher
from oauth.ehr_launch.style import style
from oauth.explain.page import explain_page, explain_reference
from oauth.sign_in import rp_initiated_logout
from oauth.sign_in.login import another_account, login, logout, operators_login, pending_login
from oauth.sign_in.password import operators_password, password, pending_password
from oauth.sign_in.sessions import sessions
from oauth.tokens.userinfo import userinfo
from oauth.workbench.api.openapi import openapi
from oauth.workbench.api.probe_results import probe_results
from oauth.workbench.api.tokens import token_kinds
from oauth.workbench.console.page import clear, console
from oauth.workbench.faults.api import introspection_faults_api
from oauth.workbench.pages import probe
from oauth.workbench.pages.fault_buttons import begin_fault, end_fault
from oauth.workbench.pages.sent import send_token
from oauth.workbench.pages.tokens import new_token, tokens
from operators import health

# absent elsewhere: not one of these answers outside development
DEVELOPMENT: list[URLPattern | URLResolver] = [
    path("dev/console", console),
    path("dev/console/clear", clear),
    path("dev/introspection-faults", introspection_faults_api),
    path("dev/introspection-faults/begin", begin_fault),
    path("dev/introspection-faults/end", end_fault),
    path("dev/docs/<path:name>", docs_page),
    path("dev/openapi.json", openapi),
    path("dev/probe", probe.begin),
    path("dev/probe/results", probe_results),
    path("dev/probe/<int:number>", probe.probe_page),
    path("dev/probe/<int:number>/stop", probe.stop),
    path("dev/sign-in", sign_in_as),
    path("dev/tokens", tokens),
    path("dev/tokens/kinds", token_kinds),
    path("dev/tokens/new", new_token),
    path("dev/tokens/send", send_token),
    path("explain", explain_page),
    path("explain/<str:reference>", explain_reference),
    path("fhir/elsewhere/", include("fhir.http.second_base")),
]
# absent outside development unless it is given a secret: a demo that producers need not run
BUNDLED_FHIR: list[URLPattern | URLResolver] = [path("fhir/", include("fhir.urls"))]
urlpatterns: list[URLPattern | URLResolver] = [
    path("", home.home),
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("fhir/<str:version>/.well-known/smart-configuration", discovery.under_fhir_base),
    *(DEVELOPMENT if settings.SMARTAUTH_DEV else []),
    *(BUNDLED_FHIR if settings.SMARTAUTH_DEV or settings.SMARTAUTH_FHIR_CLIENT_SECRET else []),
    path(".well-known/oauth-protected-resource/fhir/<str:version>", discovery.protected_resource),
    path("o/smart-configuration", discovery.by_audience),
    path("o/jwks", discovery.jwks),
    path(".well-known/oauth-authorization-server", discovery.authorization_server),
    path(".well-known/openid-configuration", discovery.openid_provider),
    path(".well-known/authzen-configuration", discovery.authzen_configuration),
    path("demo", sample_app.start),
    path("demo/launch", sample_app.launch),
    path("demo/callback", sample_app.callback),
    path("login", login),
    path("logout", logout),
    path("password", password),
    path("sessions", sessions),
    path("apps", apps),
    path("apps/end-all", end_all),
    path("apps/<str:number>/end", end),
    path("launcher", launcher),
    path("o/launch", LaunchView.as_view()),
    path("o/invalidate", InvalidateView.as_view()),
    path("o/report", ReportView.as_view()),
    path("o/style/<str:named>.json", style),
    path("o/userinfo", userinfo),
    path("o/logout", rp_initiated_logout.logout),
    path("o/logout/leave", rp_initiated_logout.logout_confirmation),
    path("o/authorize", authorize),
    path("o/authorize/<str:handle>", resume),
    path("o/authorize/<str:handle>/login", pending_login),
    path("o/authorize/<str:handle>/password", pending_password),
    path("o/authorize/<str:handle>/patient", choose_patient),
    path("o/authorize/<str:handle>/encounter", choose_encounter),
    path("o/authorize/<str:handle>/consent", decide),
    path("o/authorize/<str:handle>/another-account", another_account),
    path("o/authorize/<str:handle>/another-user", wrong_user),
    path("admin/login/", operators_login),
    path("admin/logout/", logout),
    path("admin/password_change/", operators_password),
    path("admin/", admin.site.urls),
]

handler400 = "oauth.http.dead_ends.bad_request"
handler403 = "oauth.http.dead_ends.permission_denied"
handler404 = "oauth.http.dead_ends.page_not_found"
handler500 = "oauth.http.dead_ends.server_error"
