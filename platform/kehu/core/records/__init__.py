"""Record types: declared once, then listed, filtered, edited, imported, exported and undone alike."""
