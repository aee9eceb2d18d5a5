"""The platform of Kehu: ground modules, CRM features, web shell and REST API."""
