"""One page for people about any number of disputes: self-contained HTML. Needs the extra report, never torch."""

from wmproto.report.claims import RuledClaim
from wmproto.report.models import ModelAccuracy
from wmproto.report.page import render
from wmproto.report.reported import ReportedDispute

__all__ = ["ModelAccuracy", "ReportedDispute", "RuledClaim", "render"]
