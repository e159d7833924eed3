"""The folder of an export: files, report and pictures."""
