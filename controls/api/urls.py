"""Routes of `/api/v1/` about reference data and tokens."""

from rest_framework.routers import SimpleRouter

from controls.api.catalog import BaselineViewSet, ServiceViewSet
from controls.api.tokens import TokenViewSet

router = SimpleRouter()
router.register("services", ServiceViewSet, basename="service")
router.register("baselines", BaselineViewSet, basename="baseline")
router.register("tokens", TokenViewSet, basename="token")
