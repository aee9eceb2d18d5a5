"""The pages that every record type shares: list, create, edit in place, bulk, history, export."""

from kehu.web.records.detail import Fact, RecordPage, Section, record_page_context
from kehu.web.records.pages import RecordPages, Tab, pages_of

__all__ = ["Fact", "RecordPage", "RecordPages", "Section", "Tab", "pages_of", "record_page_context"]
