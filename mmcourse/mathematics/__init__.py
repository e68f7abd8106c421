"""The mathematics of the course in NumPy alone (notebooks 31 to 37 and 41); no framework is imported here."""
