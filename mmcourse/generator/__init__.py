"""The model that looks, reads and writes (part 5), and one module for each of its tasks."""
