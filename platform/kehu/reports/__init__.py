"""Reports: tables of figures for a period, of the platform and of plugins, where each number opens its rows."""
