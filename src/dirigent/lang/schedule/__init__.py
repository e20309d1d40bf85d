"""Schedules: the section of a document, and the calendar."""
