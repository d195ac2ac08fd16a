"""Triggers that keep the second person another one, where a row alone cannot tell.

A constraint compares columns of one row; these look at the rows beside it: who brought
an earlier revision, who gave an answer, who drew the list, who invited. They say the
same as the `who_may` of each room, which answers first and with a sentence. Source:
rules R16, R17, R20, R24, R31 and R32.
"""

from __future__ import annotations

REFUSAL = "the second person is another one (R32)"

_AUTHORED = """
SELECT FROM evidence_evidencerevision r
 WHERE r.evidence_id = {evidence} AND ({person} IN (r.uploaded_by_id, r.collected_by_id)
    OR EXISTS (SELECT FROM evidence_evidencelink l
                WHERE l.revision_id = r.id AND l.submitted_by_id = {person}))
"""

_AGREED = """
SELECT FROM controls_retrospectivechange c
 WHERE c.id = {change} AND c.state = 'approved' AND c.kind = 'provider-document'
   AND c.system_id = NEW.system_id AND c.decided_by_id <> c.requested_by_id
   AND {about}
"""

# What each trigger refuses: table, name, when, and what must not be there.
GUARDS: dict[str, tuple[str, str, str]] = {
    "srm_review_by_another": (
        "evidence_review",
        "INSERT",
        "SELECT FROM evidence_evidencelink k JOIN evidence_evidencerevision kr"
        " ON kr.id = k.revision_id WHERE k.id = NEW.link_id AND EXISTS ("
        + _AUTHORED.format(evidence="kr.evidence_id", person="NEW.reviewer_id")
        + ")",
    ),
    "srm_clearance_by_another": (
        "evidence_fileclearance",
        "INSERT",
        "SELECT FROM evidence_evidencefile f JOIN evidence_evidencerevision fr"
        " ON fr.id = f.revision_id WHERE f.id = NEW.file_id AND EXISTS ("
        + _AUTHORED.format(evidence="fr.evidence_id", person="NEW.officer_id")
        + ")",
    ),
    "srm_answer_judged_by_another": (
        "evidence_requestjudgement",
        "INSERT",
        "SELECT FROM evidence_requestanswer a WHERE a.request_id = NEW.request_id"
        " AND a.answered_by_id = NEW.judged_by_id AND NEW.became <> 'cancelled'",
    ),
    "srm_sample_drawn_by_another": (
        "evidence_sample",
        "INSERT",
        "SELECT FROM evidence_population p JOIN evidence_population q"
        " ON q.requirement_id = p.requirement_id AND q.starts <= p.ends"
        " AND q.ends >= p.starts WHERE p.id = NEW.population_id"
        " AND q.drawn_by_id = NEW.drawn_by_id",
    ),
    "srm_population_judged_by_another": (
        "evidence_populationreview",
        "INSERT",
        "SELECT FROM evidence_population p JOIN evidence_population q"
        " ON q.requirement_id = p.requirement_id AND q.starts <= p.ends"
        " AND q.ends >= p.starts WHERE p.id = NEW.population_id"
        " AND q.drawn_by_id = NEW.reviewer_id AND (NEW.decision <> 'withdrawn'"
        " OR EXISTS (SELECT FROM evidence_sample s WHERE s.population_id = p.id))",
    ),
    "srm_removal_decided_by_another": (
        "evidence_spillremoval",
        "INSERT OR UPDATE OF decided_by_id",
        "SELECT FROM evidence_spillremoval r WHERE r.id = NEW.follows_id"
        " AND r.requested_by_id = NEW.decided_by_id",
    ),
    "srm_reliance_by_another": (
        "evidence_reliancereview",
        "INSERT",
        "SELECT FROM evidence_artifactversion v"
        " JOIN evidence_artifact a ON a.id = v.artifact_id"
        " WHERE v.id = NEW.artifact_version_id"
        " AND (a.registered_by_id = NEW.reviewer_id"
        " OR (v.state = 'withdrawn' AND v.ended_by_id = NEW.reviewer_id) OR EXISTS ("
        "SELECT FROM evidence_scopesetting s WHERE s.artifact_version_id = v.id"
        " AND s.set_by_id = NEW.reviewer_id))",
    ),
    "srm_letter_decided_by_another": (
        "evidence_letteracceptance",
        "INSERT",
        "SELECT FROM evidence_continuityletter l"
        " JOIN evidence_artifactversion v ON v.id = l.artifact_version_id"
        " JOIN evidence_artifact a ON a.id = v.artifact_id"
        " JOIN evidence_continuityletter same"
        " ON same.artifact_version_id = v.id AND same.issued_on = l.issued_on"
        " WHERE l.id = NEW.letter_id AND (NEW.reviewer_id IN"
        " (same.registered_by_id, v.registered_by_id, a.registered_by_id) OR EXISTS ("
        "SELECT FROM evidence_scopesetting s WHERE s.artifact_version_id = v.id"
        " AND s.set_by_id = NEW.reviewer_id))",
    ),
    # Whoever cited the same before and took it back included: the twin keeps them.
    "srm_citation_decided_by_another": (
        "evidence_letteracceptance",
        "INSERT",
        "SELECT FROM evidence_citation c"
        " JOIN evidence_artifact a ON a.id = c.artifact_id"
        " LEFT JOIN evidence_citation_history before"
        " ON before.system_id = c.system_id AND before.artifact_id = c.artifact_id"
        " AND before.control_id = c.control_id"
        " WHERE c.id = NEW.citation_id AND NEW.reviewer_id IN"
        " (c.cited_by_id, before.cited_by_id, a.registered_by_id)",
    ),
    "srm_remark_decided_by_another": (
        "evidence_remarkdecision",
        "INSERT",
        "SELECT FROM evidence_remarkanswer a"
        " JOIN evidence_reportremark r ON r.id = a.remark_id"
        " JOIN evidence_remarkanswer b"
        " ON b.remark_id = a.remark_id AND b.system_id = a.system_id"
        " WHERE a.id = NEW.answer_id"
        " AND NEW.reviewer_id IN (r.registered_by_id, b.answered_by_id)",
    ),
    "srm_disposition_decided_by_another": (
        "evidence_dispositiondecision",
        "INSERT",
        "SELECT FROM evidence_disposition q"
        " JOIN evidence_disposition earlier"
        " ON earlier.finding_id = q.finding_id"
        " OR earlier.observation_id = q.observation_id"
        " LEFT JOIN evidence_finding f ON f.id = q.finding_id"
        " LEFT JOIN evidence_failingobservation o"
        " ON o.id IN (q.observation_id, f.observation_id)"
        " WHERE q.id = NEW.disposition_id AND NEW.reviewer_id IN"
        " (earlier.requested_by_id, f.recorded_by_id, o.recorded_by_id)",
    ),
    "srm_response_decided_by_another": (
        "evidence_responsedecision",
        "INSERT",
        "SELECT FROM evidence_itemresponse r JOIN evidence_itemresponse earlier"
        " ON earlier.implementation_id = r.implementation_id AND earlier.key = r.key"
        " WHERE r.id = NEW.response_id AND earlier.responded_by_id = NEW.reviewer_id",
    ),
    "srm_closure_decided_by_another": (
        "evidence_dispositiondecision",
        "INSERT",
        "SELECT FROM evidence_disposition q"
        " JOIN evidence_evidencelink k ON k.id = q.link_id"
        " JOIN evidence_evidencerevision kr ON kr.id = k.revision_id"
        " WHERE q.id = NEW.disposition_id AND EXISTS ("
        + _AUTHORED.format(evidence="kr.evidence_id", person="NEW.reviewer_id")
        + ")",
    ),
    # Days taken out of a window that has begun: unless it is the next window, which
    # leaves no day between them out, a change that two officers agreed on since the
    # window was last written (R31).
    "srm_window_by_two": (
        "controls_system",
        "UPDATE OF window_start, window_end",
        "SELECT FROM (SELECT (srm_now() AT TIME ZONE OLD.time_zone)::date AS day) today"
        " WHERE OLD.window_start < today.day"
        " AND (NEW.window_start > OLD.window_start OR NEW.window_end < OLD.window_end)"
        " AND NOT (NEW.window_end > OLD.window_end"
        " AND (NEW.window_start = OLD.window_end + 1"
        " OR NEW.window_start <= OLD.window_end"
        " AND NEW.window_start > OLD.window_start AND OLD.window_end < today.day))"
        " AND NOT EXISTS (SELECT FROM controls_retrospectivechange c"
        " WHERE c.system_id = NEW.id AND c.kind = 'audit-window'"
        " AND c.state = 'approved' AND c.decided_by_id <> c.requested_by_id"
        " AND c.decided_at >= OLD.known_from"
        " AND c.body->>'window_start' = NEW.window_start::text"
        " AND c.body->>'window_end' = NEW.window_end::text)",
    ),
    "srm_provider_document_adopted_by_two": (
        "controls_providerdocument",
        "INSERT OR UPDATE",
        "SELECT WHERE (TG_OP = 'INSERT' AND NEW.state <> 'waiting')"
        " OR (TG_OP = 'UPDATE' AND OLD.state IN ('waiting', 'refused')"
        " AND NEW.state IN ('current', 'ended') AND NOT EXISTS ("
        + _AGREED.format(
            change="NEW.change_id",
            about="c.requested_by_id = NEW.imported_by_id"
            " AND c.body->>'document' = NEW.uuid::text",
        )
        + "))",
    ),
    "srm_provider_document_ended_by_two": (
        "controls_providerdocument",
        "UPDATE",
        "SELECT WHERE OLD.state = 'current' AND NEW.state <> 'current' AND NOT EXISTS ("
        + _AGREED.format(
            change="NEW.ending_id",
            about="NEW.uuid::text IN (c.body->>'document', c.body->>'follows')",
        )
        + ")",
    ),
    "srm_invitation_accepted_by_another": (
        "controls_invitation",
        "INSERT OR UPDATE",
        "SELECT FROM controls_membership m WHERE m.id = NEW.membership_id"
        " AND m.user_id = NEW.invited_by_id",
    ),
}
