"""Applications (part 6): one small module for each notebook, with the data that it makes and its rules."""
