"""Network definitions, their weights with hash and license (`weights.toml`), and one card a model.

Takes arrays, gives arrays; knows ONNX Runtime (and torch, for fitting only). No noun but a model's version, no fitting
loop, no data set.
"""

from insonate.analysis.models.reading import PictureModel, Reading

__all__ = ["PictureModel", "Reading"]
