"""Leads that come in as ADF/XML: kept raw, read, matched with people and turned into deals."""
