"""The mathematics of the course in NumPy alone (notebooks 31 to 37); no framework is imported here."""
