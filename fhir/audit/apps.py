from django.apps import AppConfig


class FhirAuditConfig(AppConfig):
    name = "fhir.audit"
    label = "fhir_audit"
    default_auto_field = "django.db.models.BigAutoField"
