"""Formats that other programs read and write; nothing here knows PyNN."""
