"""Routes of `evidence`."""

from django.urls import URLPattern, path

from evidence.views import artifacts, evidence, exports, review, uploads, work

app_name = "evidence"
urlpatterns: list[URLPattern] = []

# Evidence: my work, upload, review, files, AWS's reports, exports.
urlpatterns += [
    path("work/", work.work, name="work"),
    path(
        "systems/<slug:slug>/requirements/<uuid:uuid>/upload/",
        uploads.upload,
        name="upload",
    ),
    path("review/", review.queue, name="queue"),
    path("review/<uuid:uuid>/accept/", review.accept, name="accept"),
    path("review/<uuid:uuid>/reject/", review.reject, name="reject"),
    path("evidence/<uuid:uuid>/", evidence.evidence, name="evidence"),
    path("links/<uuid:uuid>/withdraw/", evidence.withdraw_link, name="withdraw"),
    path("files/<uuid:uuid>/", uploads.download, name="download"),
    path("artifacts/", artifacts.artifacts, name="artifacts"),
    path("artifacts/new/", artifacts.artifact_new, name="artifact_new"),
    path("artifacts/<uuid:uuid>/", artifacts.artifact, name="artifact"),
    path("artifacts/<uuid:uuid>/cite/", artifacts.cite, name="cite"),
    path(
        "artifacts/<uuid:uuid>/reports/new/", artifacts.version_new, name="version_new"
    ),
    path("reports/<uuid:uuid>/letters/new/", artifacts.letter_new, name="letter_new"),
    path("reports/<uuid:uuid>/end/", artifacts.version_end, name="version_end"),
    path(
        "citations/<uuid:uuid>/remove/",
        artifacts.citation_remove,
        name="citation_remove",
    ),
    path(
        "systems/<slug:slug>/reliance/<uuid:uuid>/",
        artifacts.reliance,
        name="reliance",
    ),
    path("exports/", exports.exports, name="exports"),
    path("exports/request/", exports.export_request, name="export_request"),
    path(
        "exports/<uuid:uuid>/download/", exports.export_download, name="export_download"
    ),
    path("exports/<uuid:uuid>/cancel/", exports.export_cancel, name="export_cancel"),
]
