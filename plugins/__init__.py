"""The plugin mechanism: specifications, manifest, loader, relay and guards. It knows no database."""
