"""Whether tables are right: what they hold, and what they do."""
