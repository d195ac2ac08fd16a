"""Django's admin with a site of ours."""

from django.contrib.admin.apps import AdminConfig


class OperatorsAdminConfig(AdminConfig):
    """`admin.site` is the operators' site."""

    default_site = "srm_project.operators.OperatorsSite"
