"""How far a picture's features are from those of the fitted pictures.

With m the mean and C the covariance of the features f (n_features) of the pictures a network was fitted on, and S its
eigenvectors to the k largest eigenvalues l, all of them raised by a share r of their mean,

    distance = sqrt( sum over the k directions of ((f - m) . S)^2 / (l + r mean(l)) / k )

so that a picture like the others lies at about 1.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSpace:
    """Where the features of the fitted pictures lie."""

    mean: np.ndarray
    """(n_features,)."""
    whiten: np.ndarray
    """(n_features, k); (f - mean) @ whiten has a mean square of about 1 / k."""

    def distance(self, features: np.ndarray) -> np.ndarray:
        """Give the distance (n,) of features (n, n_features)."""
        return np.asarray(np.linalg.norm((features - self.mean) @ self.whiten, axis=1))


def feature_space(features: np.ndarray, *, k: int = 32, raise_by: float = 0.1) -> FeatureSpace:
    """Learn where the features lie.

    Parameters
    ----------
    features : numpy.ndarray
        (n, n_features) of the fitted pictures.
    k : int
        Directions kept.
    raise_by : float
        Share of the mean eigenvalue added to each.

    Returns
    -------
    FeatureSpace
        Of these pictures.
    """
    mean = features.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov(features.T))
    values, vectors = values[::-1][:k], vectors[:, ::-1][:, :k]
    scale = np.sqrt((values + raise_by * values.mean()) * k)
    return FeatureSpace(mean=mean.astype(np.float32), whiten=(vectors / scale).astype(np.float32))
