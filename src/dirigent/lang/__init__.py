"""Texts become models here: stack files, workflow documents, expressions. Pure, given the text.

Every reader collects all problems of a document in one pass and raises nothing for a user's mistake.
"""
