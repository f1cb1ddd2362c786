"""The examination is kept: reports and folders of results.

Uses formats and display; knows no other stage, and estimates nothing.
"""
