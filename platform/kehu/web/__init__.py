"""The web shell: layouts, macros, assets and what every page shares."""
