"""Losses, variants, folds and loops that make the weights of models, and the measures that judge them.

Fed with pictures and masks; needs torch (the extra `fit`). Never imports simulation, and nothing here runs in use.
"""
