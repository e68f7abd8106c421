"""Scores of texts, intervals, controls; no framework is imported here."""
