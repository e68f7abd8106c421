"""Outlook (part 8): what is asked of a model besides its score; one small module for each notebook."""
