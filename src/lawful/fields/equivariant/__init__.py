"""Layers whose answers turn with their input: frames, scalars and vectors, attention."""

from ._attention import ChainUpdate, FrameAttention, FrameBlock, centre, chain_features
from ._dense import Dense, normalised
from ._edges import beside, bumps, length, relative_features
from ._frames import Frames
from ._points import PointMessages
from ._rotations import (
    angle_between,
    geodesic,
    matmul,
    quaternion,
    rotation_exp,
    rotation_log,
    turn,
    turn_back,
    uniform_rotations,
)
from ._vectors import VectorMessages, VectorPerceptron

__all__ = [
    "ChainUpdate",
    "Dense",
    "FrameAttention",
    "FrameBlock",
    "Frames",
    "PointMessages",
    "VectorMessages",
    "VectorPerceptron",
    "angle_between",
    "beside",
    "bumps",
    "centre",
    "chain_features",
    "geodesic",
    "length",
    "matmul",
    "normalised",
    "quaternion",
    "relative_features",
    "rotation_exp",
    "rotation_log",
    "turn",
    "turn_back",
    "uniform_rotations",
]
