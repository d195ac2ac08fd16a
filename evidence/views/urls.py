"""Routes of `evidence`.

One file: the addresses of all its pages are looked up here, in groups by noun.
"""

from django.urls import URLPattern, path

from evidence.views import (
    alternatives,
    artifact_sync,
    artifacts,
    attach,
    audit_marks,
    audit_samples,
    audits,
    bulk,
    bulk_acts,
    burden,
    calendar,
    citations,
    closings,
    control_page,
    control_text,
    controls,
    coverage,
    crosswalks,
    dashboard,
    desk,
    disclosures,
    discovery,
    doors,
    engagement_scope,
    engagements,
    event_log,
    evidence,
    exports,
    files,
    finding_imports,
    findings,
    help,
    implementation_status,
    joined_asks,
    letters,
    matrix,
    my_work,
    notices,
    overrides,
    people,
    populations,
    provider_documents,
    provider_window,
    published_services,
    reconfirmations,
    regions,
    reliance,
    remarks,
    removals,
    report_fetches,
    report_files,
    reports,
    request_list,
    requests,
    requirements,
    rereading,
    responses,
    retention,
    retrospect,
    reviews,
    revisions,
    samples,
    saved_filters,
    scope,
    search,
    system_terms,
    systems,
    tokens,
    trend,
    uploads,
    user_controls,
    what_if,
    window_days,
    windows,
)

app_name = "evidence"
urlpatterns: list[URLPattern] = []

urlpatterns += [
    path("help/verdict/", help.verdict_help, name="verdict_help"),
    path("kept-form/let-go/", doors.kept_form_let_go, name="kept_form_let_go"),
    path("search/", search.results, name="search"),
    path(
        "aws-services/",
        published_services.published_services,
        name="published_services",
    ),
    path("control-text/", control_text.control_text, name="control_text"),
]

# Systems: the list, a new one, what one uses, where it stands.
urlpatterns += [
    path("systems/", systems.systems, name="systems"),
    path("systems/new/", systems.new, name="system_new"),
    path("windows/", windows.windows, name="windows"),
    path("systems/<slug:slug>/", dashboard.dashboard, name="dashboard"),
    path("systems/<slug:slug>/first-steps/", systems.first_steps, name="first_steps"),
    path("systems/<slug:slug>/window/", windows.window, name="window"),
    path(
        "systems/<slug:slug>/window/providers/",
        provider_window.provider_window,
        name="provider_window",
    ),
    path("systems/<slug:slug>/trend/", trend.system_trend, name="trend"),
    path("systems/<slug:slug>/terms/", system_terms.terms, name="system_terms"),
    path(
        "systems/<slug:slug>/window/days/",
        window_days.window_days,
        name="window_days",
    ),
    path("systems/<slug:slug>/retention/", retention.retention, name="retention"),
    path("systems/<slug:slug>/events/", event_log.event_log, name="event_log"),
    path(
        "systems/<slug:slug>/events/csv/",
        event_log.event_log_csv,
        name="event_log_csv",
    ),
    path("systems/<slug:slug>/holds/new/", retention.hold_new, name="hold_new"),
    path("holds/<uuid:uuid>/lift/", retention.hold_lift, name="hold_lift"),
    path("systems/<slug:slug>/components/", systems.components, name="components"),
    path("systems/<slug:slug>/components/regions/", regions.regions, name="regions"),
    path("systems/<slug:slug>/burden/", burden.burden, name="burden"),
    path("systems/<slug:slug>/burden/file/", burden.burden_csv, name="burden_csv"),
    path("systems/<slug:slug>/components/what-if/", what_if.what_if, name="what_if"),
    path(
        "systems/<slug:slug>/components/what-if/file/",
        what_if.what_if_csv,
        name="what_if_csv",
    ),
    path(
        "systems/<slug:slug>/components/what-if/change/",
        what_if.services_change,
        name="services_change",
    ),
    path(
        "systems/<slug:slug>/components/account/",
        discovery.discovery,
        name="discovery",
    ),
    path(
        "systems/<slug:slug>/components/account/accept/",
        discovery.discovery_accept,
        name="discovery_accept",
    ),
    path(
        "systems/<slug:slug>/components/add/",
        systems.component_add,
        name="component_add",
    ),
    path(
        "systems/<slug:slug>/components/<uuid:uuid>/end/",
        systems.component_end,
        name="component_end",
    ),
]

urlpatterns += [
    path(
        "systems/<slug:slug>/components/<uuid:uuid>/days/",
        systems.component_days,
        name="component_days",
    ),
]

# The matrix: who answers for what, and which team has read its duties.
urlpatterns += [
    path(
        "systems/<slug:slug>/matrix/user-controls/",
        user_controls.user_controls,
        name="user_controls",
    ),
    path(
        "systems/<slug:slug>/matrix/user-controls/file/",
        user_controls.user_controls_file,
        name="user_controls_file",
    ),
    path(
        "systems/<slug:slug>/matrix/expected-of-providers/",
        user_controls.providers_expected,
        name="providers_expected",
    ),
    path(
        "systems/<slug:slug>/matrix/expected-of-providers/file/",
        user_controls.providers_expected_file,
        name="providers_expected_file",
    ),
    path("systems/<slug:slug>/matrix/", matrix.matrix, name="matrix"),
    path(
        "systems/<slug:slug>/matrix/acknowledge/",
        matrix.duties_acknowledge,
        name="duties_acknowledge",
    ),
]

# People: who holds which role, invited, changed, ended, handed over.
urlpatterns += [
    path("systems/<slug:slug>/people/", people.people, name="people"),
    path(
        "systems/<slug:slug>/people/invite/",
        people.people_invite,
        name="people_invite",
    ),
    path("systems/<slug:slug>/people/<uuid:uuid>/", people.role, name="role"),
    path(
        "systems/<slug:slug>/people/<uuid:uuid>/days/",
        people.role_days,
        name="role_days",
    ),
    path(
        "systems/<slug:slug>/people/<uuid:uuid>/end/", people.role_end, name="role_end"
    ),
    path(
        "systems/<slug:slug>/people/<uuid:uuid>/hand-over/",
        people.role_hand_over,
        name="role_hand_over",
    ),
    path(
        "systems/<slug:slug>/invitations/<uuid:uuid>/send/",
        people.invitation_send,
        name="invitation_send",
    ),
    path(
        "systems/<slug:slug>/invitations/<uuid:uuid>/withdraw/",
        people.invitation_withdraw,
        name="invitation_withdraw",
    ),
]

# Engagements: audits of a system, who is let in until when.
urlpatterns += [
    path(
        "systems/<slug:slug>/engagements/", engagements.engagements, name="engagements"
    ),
    path(
        "systems/<slug:slug>/engagements/new/",
        engagements.engagement_new,
        name="engagement_new",
    ),
    path(
        "systems/<slug:slug>/engagements/<uuid:uuid>/",
        engagements.engagement_access,
        name="engagement_access",
    ),
    path(
        "systems/<slug:slug>/engagements/<uuid:uuid>/renew/",
        engagements.engagement_renew,
        name="engagement_renew",
    ),
    path(
        "systems/<slug:slug>/engagements/<uuid:uuid>/end/",
        engagements.engagement_end,
        name="engagement_end",
    ),
    path(
        "systems/<slug:slug>/engagements/<uuid:uuid>/systems/",
        engagement_scope.engagement_add_system,
        name="engagement_add_system",
    ),
    path(
        "systems/<slug:slug>/engagements/<uuid:uuid>/take-out/",
        engagement_scope.engagement_take_out,
        name="engagement_take_out",
    ),
    path(
        "systems/<slug:slug>/engagements/<uuid:uuid>/scope/",
        engagement_scope.engagement_scope,
        name="engagement_scope",
    ),
]

# Audits: what auditors read and mark; officers see the same pages.
urlpatterns += [
    path("audits/", audits.audits, name="audits"),
    path("audits/<uuid:uuid>/", audits.audit, name="audit"),
    path("audits/<uuid:uuid>/new/", audits.audit_news, name="audit_news"),
    path("audits/<uuid:uuid>/controls/", audits.audit_controls, name="audit_controls"),
    path("audits/<uuid:uuid>/closing/", closings.closing, name="closing"),
    path(
        "audits/<uuid:uuid>/closing/request/",
        closings.closing_request,
        name="closing_request",
    ),
    path(
        "audits/<uuid:uuid>/closing/decide/",
        closings.closing_decide,
        name="closing_decide",
    ),
    path(
        "audits/<uuid:uuid>/closing/withdraw/",
        closings.closing_withdraw,
        name="closing_withdraw",
    ),
    path("audits/<uuid:uuid>/marks/", audit_marks.marks_save, name="marks_save"),
    path("audits/<uuid:uuid>/controls/<str:ref_id>/", audit_marks.mark, name="mark"),
    path(
        "audits/<uuid:uuid>/samples/",
        audit_samples.audit_samples,
        name="audit_samples",
    ),
    path(
        "audits/<uuid:uuid>/samples/<uuid:sample>/",
        audit_samples.audit_sample,
        name="audit_sample",
    ),
    path(
        "audits/<uuid:uuid>/requests/",
        request_list.request_list,
        name="request_list",
    ),
    path(
        "audits/<uuid:uuid>/requests/confirm/",
        request_list.request_list_confirm,
        name="request_list_confirm",
    ),
    path(
        "audits/<uuid:uuid>/requests/template/",
        request_list.request_list_template,
        name="request_list_template",
    ),
    path(
        "audits/<uuid:uuid>/requests/list.xlsx",
        request_list.request_list_download,
        name="request_list_download",
    ),
    path(
        "audits/<uuid:uuid>/samples/<uuid:sample>/results/",
        audit_samples.results_save,
        name="results_save",
    ),
]

# Changes in retrospect: what is asked of the past, and decided.
urlpatterns += [
    path(
        "systems/<slug:slug>/changes-in-retrospect/",
        retrospect.changes,
        name="retrospectives",
    ),
    path("changes-in-retrospect/<uuid:uuid>/", retrospect.change, name="retrospective"),
    path(
        "changes-in-retrospect/<uuid:uuid>/decide/",
        retrospect.decide,
        name="retrospective_decide",
    ),
]

urlpatterns += [
    path("systems/<slug:slug>/rereading/", rereading.rereading, name="rereading"),
]

# Controls: the list, one control, what is said of it and by whom it is decided.
urlpatterns += [
    path("systems/<slug:slug>/controls/", controls.controls, name="controls"),
    path(
        "systems/<slug:slug>/owner/",
        bulk_acts.bulk_choose,
        {"act": "owner"},
        name="owner_of_many",
    ),
    path(
        "systems/<slug:slug>/owner/confirm/",
        bulk_acts.bulk_act_confirm,
        {"act": "owner"},
        name="owner_of_many_confirm",
    ),
    path(
        "systems/<slug:slug>/saved-filters/",
        saved_filters.saved_filters,
        name="saved_filters",
    ),
    path(
        "systems/<slug:slug>/saved-filters/<uuid:uuid>/rename/",
        saved_filters.saved_filter_rename,
        name="saved_filter_rename",
    ),
    path(
        "systems/<slug:slug>/saved-filters/<uuid:uuid>/delete/",
        saved_filters.saved_filter_delete,
        name="saved_filter_delete",
    ),
    path("systems/<slug:slug>/many/", bulk_acts.bulk_choose, name="bulk_choose"),
    path(
        "systems/<slug:slug>/many/<slug:act>/",
        bulk_acts.bulk_act,
        name="bulk_act",
    ),
    path(
        "systems/<slug:slug>/many/<slug:act>/confirm/",
        bulk_acts.bulk_act_confirm,
        name="bulk_act_confirm",
    ),
    path(
        "systems/<slug:slug>/many/runs/<uuid:uuid>/",
        bulk_acts.bulk_run,
        name="bulk_run",
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/",
        control_page.control,
        name="control",
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/describe/",
        overrides.control_describe,
        name="control_describe",
    ),
    path(
        "systems/<slug:slug>/implementation-status/",
        bulk_acts.bulk_choose,
        {"act": "status"},
        name="status_of_many",
    ),
    path(
        "systems/<slug:slug>/implementation-status/confirm/",
        bulk_acts.bulk_act_confirm,
        {"act": "status"},
        name="status_of_many_confirm",
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/earlier-status/",
        implementation_status.status_in_retrospect,
        name="status_in_retrospect",
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/alternative/",
        alternatives.alternative_request,
        name="alternative_request",
    ),
    path(
        "alternatives/<uuid:uuid>/decide/",
        alternatives.alternative_decide,
        name="alternative_decide",
    ),
    path(
        "alternatives/<uuid:uuid>/end/",
        alternatives.alternative_end,
        name="alternative_end",
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/override/",
        overrides.override_request,
        name="override_request",
    ),
    path(
        "overrides/<uuid:uuid>/decide/",
        overrides.override_decide,
        name="override_decide",
    ),
    path(
        "overrides/<uuid:uuid>/settle/",
        overrides.override_settle,
        name="override_settle",
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/not-applicable/",
        overrides.na_request,
        name="na_request",
    ),
    path("not-applicable/<uuid:uuid>/decide/", overrides.na_decide, name="na_decide"),
    path("not-applicable/<uuid:uuid>/end/", overrides.na_end, name="na_end"),
    path("ends/<uuid:uuid>/decide/", overrides.end_decide, name="end_decide"),
]

# Calendar: what falls due; the next audit window.
urlpatterns += [
    path("calendar/", calendar.my_calendar, name="my_calendar"),
    path("systems/<slug:slug>/calendar/", calendar.calendar_of_system, name="calendar"),
    path(
        "systems/<slug:slug>/roll-forward/",
        calendar.roll_forward_page,
        name="roll_forward",
    ),
]

# Notices: what I was told.
urlpatterns += [
    path("notices/", notices.notices, name="notices"),
    path("notices/read/", notices.notices_read, name="notices_read"),
    path("notices/settings/", notices.notice_settings, name="notice_settings"),
    path("notices/<uuid:uuid>/", notices.notice, name="notice"),
    path("notices/<uuid:uuid>/read/", notices.notice_read, name="notice_read"),
]

# Requests: what officers and auditors ask to see.
urlpatterns += [
    path("requests/", requests.requests, name="requests"),
    path("systems/<slug:slug>/requests/new/", requests.request_new, name="request_new"),
    path("requests/<uuid:uuid>/", requests.one, name="request"),
    path(
        "requests/<uuid:uuid>/answer/", requests.request_answer, name="request_answer"
    ),
    path("requests/<uuid:uuid>/judge/", requests.request_judge, name="request_judge"),
]

# Requirements: what is asked of our halves.
urlpatterns += [
    path(
        "systems/<slug:slug>/requirements/",
        requirements.requirements,
        name="requirements",
    ),
    path(
        "systems/<slug:slug>/requirements/templates/",
        requirements.templates,
        name="requirement_templates",
    ),
    path(
        "systems/<slug:slug>/requirements/join/",
        joined_asks.join_asks,
        name="join_asks",
    ),
    path(
        "systems/<slug:slug>/requirements/join/these/",
        joined_asks.join_preview,
        name="join_preview",
    ),
    path("systems/<slug:slug>/asks/<uuid:uuid>/", joined_asks.ask, name="ask"),
    path(
        "systems/<slug:slug>/asks/<uuid:uuid>/split/",
        joined_asks.ask_split,
        name="ask_split",
    ),
    path(
        "systems/<slug:slug>/asks/<uuid:uuid>/add/",
        joined_asks.ask_add,
        name="ask_add",
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/requirements/new/",
        requirements.requirement_new,
        name="requirement_new",
    ),
    path(
        "systems/<slug:slug>/requirements/<uuid:uuid>/",
        requirements.requirement_edit,
        name="requirement_edit",
    ),
    path(
        "systems/<slug:slug>/requirements/<uuid:uuid>/retire/",
        requirements.requirement_retire,
        name="requirement_retire",
    ),
]

# What is asked per event: populations, and the samples drawn from them.
urlpatterns += [
    path(
        "requirements/<uuid:uuid>/populations/",
        populations.populations,
        name="populations",
    ),
    path(
        "requirements/<uuid:uuid>/populations/new/",
        populations.population_new,
        name="population_new",
    ),
    path(
        "requirements/<uuid:uuid>/populations/confirm/",
        populations.population_confirm,
        name="population_confirm",
    ),
    path("populations/<uuid:uuid>/", populations.population, name="population"),
    path(
        "populations/<uuid:uuid>/judge/",
        populations.population_judge,
        name="population_judge",
    ),
    path("populations/<uuid:uuid>/sample/", samples.sample_draw, name="sample_draw"),
    path("samples/<uuid:uuid>/", samples.sample, name="sample"),
    path(
        "samples/<uuid:uuid>/sample.csv",
        samples.sample_download,
        name="sample_download",
    ),
    path("sampled/<uuid:uuid>/deviates/", samples.deviation_new, name="deviation_new"),
]

# The regime's own numbers: import with a preview, each number with its controls.
urlpatterns += [
    path("systems/<slug:slug>/numbers/", crosswalks.numbers, name="numbers"),
    path(
        "systems/<slug:slug>/numbers/upload/",
        crosswalks.numbers_upload,
        name="numbers_upload",
    ),
    path(
        "systems/<slug:slug>/numbers/template.csv",
        crosswalks.numbers_template,
        name="numbers_template",
    ),
    path(
        "systems/<slug:slug>/numbers/preview/<uuid:token>/",
        crosswalks.numbers_preview,
        name="numbers_preview",
    ),
    path(
        "systems/<slug:slug>/numbers/preview/<uuid:token>/adopt/",
        crosswalks.numbers_adopt,
        name="numbers_adopt",
    ),
    path(
        "systems/<slug:slug>/numbers/of/<path:number>/",
        crosswalks.number,
        name="number",
    ),
]

# The provider's own documents: import with a preview, differences, end.
urlpatterns += [
    path(
        "systems/<slug:slug>/provider/", provider_documents.documents, name="provider"
    ),
    path(
        "systems/<slug:slug>/provider/upload/",
        provider_documents.upload,
        name="provider_upload",
    ),
    path(
        "systems/<slug:slug>/provider/template.csv",
        provider_documents.template_csv,
        name="provider_template",
    ),
    path(
        "systems/<slug:slug>/provider/<uuid:token>/",
        provider_documents.provider_preview,
        name="provider_preview",
    ),
    path(
        "systems/<slug:slug>/provider/<uuid:token>/adopt/",
        provider_documents.provider_adopt,
        name="provider_adopt",
    ),
    path(
        "provider-documents/<uuid:uuid>/",
        provider_documents.document,
        name="provider_document",
    ),
    path(
        "provider-documents/<uuid:uuid>/end/",
        provider_documents.document_end,
        name="provider_document_end",
    ),
]

# Evidence: my work, upload, review, files, AWS's reports, exports.
urlpatterns += [
    path("work/", my_work.work, name="work"),
    path(
        "systems/<slug:slug>/requirements/<uuid:uuid>/upload/",
        uploads.upload,
        name="upload",
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/upload/",
        uploads.upload_supplementary,
        name="upload_supplementary",
    ),
    path("upload-list/", bulk.bulk_template, name="bulk_template"),
    path("systems/<slug:slug>/upload/", bulk.bulk, name="bulk"),
    path("systems/<slug:slug>/upload/confirm/", bulk.bulk_confirm, name="bulk_confirm"),
    path("accounts/tokens/", tokens.tokens, name="tokens"),
    path(
        "accounts/tokens/<uuid:uuid>/revoke/",
        tokens.token_revoke,
        name="token_revoke",
    ),
    path(
        "accounts/calendar/<str:secret>/srm.ics",
        tokens.calendar_feed,
        name="calendar_feed",
    ),
    path("review/", desk.queue, name="queue"),
    path("review/<uuid:uuid>/decide/", desk.decide, name="decide"),
    path("review/several/", reviews.several, name="review_several"),
    path("review/<uuid:uuid>/accept/", reviews.accept, name="accept"),
    path("review/<uuid:uuid>/reject/", reviews.reject, name="reject"),
    path("evidence/<uuid:uuid>/", evidence.evidence, name="evidence"),
    path("evidence/<uuid:uuid>/revise/", revisions.revision_new, name="revision_new"),
    path("evidence/<uuid:uuid>/attach/", attach.attach_more, name="attach"),
    path("links/<uuid:uuid>/submit/", evidence.submit_draft, name="submit_draft"),
    path(
        "systems/<slug:slug>/confirm-again/",
        reconfirmations.reconfirmations,
        name="reconfirmations",
    ),
    path("links/<uuid:uuid>/reconfirm/", evidence.reconfirm_link, name="reconfirm"),
    path("links/<uuid:uuid>/withdraw/", evidence.withdraw_link, name="withdraw"),
    path("files/<uuid:uuid>/", files.download, name="download"),
    path("files/<uuid:uuid>/preview/", files.preview, name="preview"),
    path("files/<uuid:uuid>/picture/", files.picture, name="picture"),
    path("files/<uuid:uuid>/clear/", files.file_clear, name="file_clear"),
    path("files/<uuid:uuid>/remove/", removals.removal_new, name="removal_new"),
    path("removals/<uuid:uuid>/", removals.removal, name="removal"),
    path(
        "removals/<uuid:uuid>/decide/", removals.removal_decide, name="removal_decide"
    ),
    path("artifacts/", artifacts.artifacts, name="artifacts"),
    path("artifacts/new/", artifacts.artifact_new, name="artifact_new"),
    path("artifacts/aws/", artifact_sync.artifact_sync, name="artifact_sync"),
    path(
        "artifacts/aws/<uuid:uuid>/place/",
        artifact_sync.listed_place,
        name="listed_place",
    ),
    path("artifacts/<uuid:uuid>/", artifacts.artifact, name="artifact"),
    path("artifacts/<uuid:uuid>/cite/", citations.cite, name="cite"),
    path("artifacts/<uuid:uuid>/reports/new/", reports.version_new, name="version_new"),
    path("reports/<uuid:uuid>/scope/", scope.version_scope, name="version_scope"),
    path(
        "artifacts/reports/<uuid:uuid>/",
        report_files.report_document,
        name="report_document",
    ),
    path(
        "artifacts/reports/<uuid:uuid>/hold/",
        report_files.report_hold,
        name="report_hold",
    ),
    path(
        "artifacts/reports/<uuid:uuid>/disclosures/",
        disclosures.disclosures,
        name="disclosures",
    ),
    path(
        "artifacts/reports/<uuid:uuid>/disclosures/list.csv",
        disclosures.disclosures_csv,
        name="disclosures_csv",
    ),
    path(
        "artifacts/reports/<uuid:uuid>/disclosures/new/",
        disclosures.disclosure_new,
        name="disclosure_new",
    ),
    path(
        "artifacts/files/<uuid:uuid>/term/",
        report_files.report_term,
        name="report_term",
    ),
    path(
        "artifacts/files/<uuid:uuid>/view/",
        report_files.report_view,
        name="report_view",
    ),
    path(
        "artifacts/files/<uuid:uuid>/page/",
        report_files.report_page,
        name="report_page",
    ),
    path(
        "artifacts/files/<uuid:uuid>/download/",
        report_files.report_download,
        name="report_download",
    ),
    path(
        "artifacts/files/<uuid:uuid>/clear/",
        report_files.report_clear,
        name="report_clear",
    ),
    path(
        "artifacts/files/<uuid:uuid>/release/",
        report_files.report_release,
        name="report_release",
    ),
    path(
        "artifacts/files/<uuid:uuid>/remove/",
        report_files.report_remove,
        name="report_remove",
    ),
    path(
        "artifacts/releases/<uuid:uuid>/take-back/",
        report_files.report_take_back,
        name="report_take_back",
    ),
    path(
        "artifacts/removals/<uuid:uuid>/decide/",
        report_files.report_removal_decide,
        name="report_removal_decide",
    ),
    path(
        "artifacts/aws/<uuid:uuid>/fetch/",
        report_fetches.report_fetch_new,
        name="report_fetch_new",
    ),
    path(
        "artifacts/fetches/<uuid:uuid>/",
        report_fetches.report_fetch,
        name="report_fetch",
    ),
    path(
        "artifacts/fetches/<uuid:uuid>/term/",
        report_fetches.report_fetch_term,
        name="report_fetch_term",
    ),
    path(
        "reports/<uuid:uuid>/scope/confirm/",
        scope.version_scope_confirm,
        name="version_scope_confirm",
    ),
    path(
        "reports/<uuid:uuid>/coverage/",
        coverage.version_coverage,
        name="version_coverage",
    ),
    path(
        "reports/<uuid:uuid>/coverage/file/",
        coverage.version_coverage_template,
        name="version_coverage_template",
    ),
    path(
        "reports/<uuid:uuid>/coverage/preview/",
        coverage.version_coverage_preview,
        name="version_coverage_preview",
    ),
    path(
        "reports/<uuid:uuid>/coverage/import/",
        coverage.version_coverage_import,
        name="version_coverage_import",
    ),
    path(
        "reports/<uuid:uuid>/coverage/begin/",
        coverage.version_coverage_begin,
        name="version_coverage_begin",
    ),
    path(
        "reports/<uuid:uuid>/coverage/lines/",
        coverage.version_coverage_lines,
        name="version_coverage_lines",
    ),
    path(
        "reports/<uuid:uuid>/user-controls/",
        user_controls.version_user_controls,
        name="version_user_controls",
    ),
    path(
        "reports/<uuid:uuid>/user-controls/file/",
        user_controls.version_user_controls_template,
        name="version_user_controls_template",
    ),
    path(
        "reports/<uuid:uuid>/user-controls/import/",
        user_controls.version_user_controls_import,
        name="version_user_controls_import",
    ),
    path("reports/<uuid:uuid>/letters/new/", reports.letter_new, name="letter_new"),
    path("reports/<uuid:uuid>/remarks/new/", remarks.remark_new, name="remark_new"),
    path(
        "systems/<slug:slug>/remarks/<uuid:uuid>/answer/",
        remarks.remark_answer,
        name="remark_answer",
    ),
    path(
        "remark-answers/<uuid:uuid>/decide/",
        remarks.remark_decide,
        name="remark_decide",
    ),
    path("systems/<slug:slug>/findings/", findings.findings, name="findings"),
    path(
        "systems/<slug:slug>/findings/imports/",
        finding_imports.finding_imports,
        name="finding_imports",
    ),
    path(
        "systems/<slug:slug>/findings/imports/upload/",
        finding_imports.finding_import_upload,
        name="finding_import_upload",
    ),
    path(
        "systems/<slug:slug>/findings/imports/<uuid:token>/",
        finding_imports.finding_import_preview,
        name="finding_import_preview",
    ),
    path(
        "systems/<slug:slug>/findings/imports/<uuid:token>/confirm/",
        finding_imports.finding_import_confirm,
        name="finding_import_confirm",
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/observations/new/",
        findings.observation_new,
        name="observation_new",
    ),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/findings/new/",
        findings.finding_new,
        name="finding_new",
    ),
    path("observations/<uuid:uuid>/", findings.observation, name="observation"),
    path(
        "observations/<uuid:uuid>/explain/",
        findings.observation_dispose,
        name="observation_dispose",
    ),
    path("findings/<uuid:uuid>/", findings.finding, name="finding"),
    path(
        "findings/<uuid:uuid>/dispositions/new/",
        findings.finding_dispose,
        name="finding_dispose",
    ),
    path(
        "dispositions/<uuid:uuid>/decide/",
        findings.disposition_decide,
        name="disposition_decide",
    ),
    path("systems/<slug:slug>/responses/", responses.responses, name="responses"),
    path(
        "systems/<slug:slug>/controls/<str:ref_id>/responses/<slug:key>/",
        responses.response_new,
        name="response_new",
    ),
    path(
        "responses/<uuid:uuid>/decide/",
        responses.response_decide,
        name="response_decide",
    ),
    path("reports/<uuid:uuid>/end/", reports.version_end, name="version_end"),
    path(
        "systems/<slug:slug>/letters/<uuid:uuid>/decide/",
        letters.letter_decide,
        name="letter_decide",
    ),
    path(
        "citations/<uuid:uuid>/remove/",
        citations.citation_remove,
        name="citation_remove",
    ),
    path(
        "systems/<slug:slug>/citations/decide/",
        citations.citations_decide,
        name="citations_decide",
    ),
    path(
        "systems/<slug:slug>/reliance/<uuid:uuid>/",
        reliance.reliance,
        name="reliance",
    ),
    path("exports/", exports.exports, name="exports"),
    path("exports/request/", exports.export_request, name="export_request"),
    path(
        "exports/<uuid:uuid>/download/", exports.export_download, name="export_download"
    ),
    path("exports/<uuid:uuid>/again/", closings.kept_again, name="kept_again"),
    path("exports/<uuid:uuid>/cancel/", exports.export_cancel, name="export_cancel"),
    path("exports/<uuid:uuid>/delete/", exports.export_delete, name="export_delete"),
]
