"""The public face of the models of `evidence`."""

from evidence.models.arrivals import Arrival
from evidence.models.artifact_syncs import ArtifactSync, ListedReport
from evidence.models.artifacts import (
    Artifact,
    ArtifactVersion,
    AssuranceKind,
    ContinuityLetter,
    ScopeSetting,
)
from evidence.models.asks import (
    Cadence,
    EvidenceRequirement,
    Purpose,
    RequirementTerms,
)
from evidence.models.audit_checks import AuditLogCheck
from evidence.models.blobs import Blob, ScanState
from evidence.models.bulk_act_runs import BulkActRun
from evidence.models.checks import StoreCheck
from evidence.models.citations import ArtifactCoverage, Citation
from evidence.models.clearances import FileClearance
from evidence.models.closings import ClosingState, WindowClosing
from evidence.models.coverage import CoverageLine, CoverageOrigin
from evidence.models.disclosures import DisclosureKind, DisclosureRecord
from evidence.models.evidence import Evidence, Sensitivity
from evidence.models.exports import Export, ExportKind, ExportState
from evidence.models.files import EvidenceFile
from evidence.models.finding_imports import (
    FindingImport,
    ReportedResult,
    SourceReport,
)
from evidence.models.findings import (
    Disposition,
    DispositionDecision,
    DispositionKind,
    Finding,
    Severity,
)
from evidence.models.invitation_mails import InvitationMail
from evidence.models.links import EvidenceLink, Half, LinkState
from evidence.models.marks import ControlMark, TestedItem
from evidence.models.notices import Notice, NoticeMail, NoticePreference
from evidence.models.observations import FailingObservation
from evidence.models.populations import (
    Population,
    PopulationItem,
    PopulationReview,
    PopulationState,
)
from evidence.models.proof import Proof
from evidence.models.quotas import TeamDay
from evidence.models.reliance import (
    LetterAcceptance,
    RelianceConclusion,
    RelianceReview,
)
from evidence.models.remarks import (
    RemarkAnswer,
    RemarkChoice,
    RemarkDecision,
    RemarkKind,
    ReportRemark,
)
from evidence.models.removals import RemovalState, SpillRemoval
from evidence.models.report_fetches import FetchState, ReportFetch
from evidence.models.report_files import (
    ReportFile,
    ReportFileClearance,
    ReportFileRemoval,
    ReportRelease,
    TermConfirmation,
)
from evidence.models.requests import (
    EvidenceRequest,
    RequestAnswer,
    RequestJudgement,
)
from evidence.models.requirements import RequirementControl
from evidence.models.responses import ItemKind, ItemResponse, ResponseDecision
from evidence.models.retention import (
    LegalHold,
    RetentionClass,
)
from evidence.models.reviews import Review
from evidence.models.revisions import EvidenceRevision
from evidence.models.samples import Deviation, Sample, SampleItem, SampleMethod
from evidence.models.saved_filters import SavedFilter
from evidence.models.standings import AskStanding, StandingMark

__all__ = [
    "Arrival",
    "Artifact",
    "ArtifactCoverage",
    "ArtifactSync",
    "ArtifactVersion",
    "AskStanding",
    "AssuranceKind",
    "AuditLogCheck",
    "Blob",
    "BulkActRun",
    "Cadence",
    "Citation",
    "ClosingState",
    "ContinuityLetter",
    "ControlMark",
    "CoverageLine",
    "CoverageOrigin",
    "Deviation",
    "DisclosureKind",
    "DisclosureRecord",
    "Disposition",
    "DispositionDecision",
    "DispositionKind",
    "Evidence",
    "EvidenceFile",
    "EvidenceLink",
    "EvidenceRequest",
    "EvidenceRequirement",
    "EvidenceRevision",
    "Export",
    "ExportKind",
    "ExportState",
    "FailingObservation",
    "FetchState",
    "FileClearance",
    "Finding",
    "FindingImport",
    "Half",
    "InvitationMail",
    "ItemKind",
    "ItemResponse",
    "LegalHold",
    "LetterAcceptance",
    "LinkState",
    "ListedReport",
    "Notice",
    "NoticeMail",
    "NoticePreference",
    "Population",
    "PopulationItem",
    "PopulationReview",
    "PopulationState",
    "Proof",
    "Purpose",
    "RelianceConclusion",
    "RelianceReview",
    "RemarkAnswer",
    "RemarkChoice",
    "RemarkDecision",
    "RemarkKind",
    "RemovalState",
    "ReportFetch",
    "ReportFile",
    "ReportFileClearance",
    "ReportFileRemoval",
    "ReportRelease",
    "ReportRemark",
    "ReportedResult",
    "RequestAnswer",
    "RequestJudgement",
    "RequirementControl",
    "RequirementTerms",
    "ResponseDecision",
    "RetentionClass",
    "Review",
    "Sample",
    "SampleItem",
    "SampleMethod",
    "SavedFilter",
    "ScanState",
    "ScopeSetting",
    "Sensitivity",
    "Severity",
    "SourceReport",
    "SpillRemoval",
    "StandingMark",
    "StoreCheck",
    "TeamDay",
    "TermConfirmation",
    "TestedItem",
    "WindowClosing",
]
