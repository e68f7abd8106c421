"""Scores of classes and of texts, intervals, controls (notebooks 44, 45, 47); no framework is needed."""
