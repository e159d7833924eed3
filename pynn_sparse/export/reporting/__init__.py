"""The report of an export: text, figures and pictures."""
