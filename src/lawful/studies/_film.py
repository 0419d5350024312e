"""Pictures that move: a figure drawn frame by frame into the bytes of a GIF."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = 32


def film(fig: Figure, draw: Callable[[int], None], frames: int, rate: float = 20.0, dpi: int = 80) -> bytes:
    """`draw(i)` changes the figure to what it shows in frame i; `rate` in frames a second. The film repeats."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    fig.set_dpi(dpi)
    canvas, images = FigureCanvasAgg(fig), []
    for i in range(frames):
        draw(i)
        canvas.draw()
        pixels = np.asarray(canvas.buffer_rgba())[..., :3]
        images.append(Image.fromarray(pixels).quantize(COLOURS, dither=Image.Dither.NONE))
    out = io.BytesIO()
    images[0].save(
        out, "GIF", save_all=True, append_images=images[1:], duration=round(1000 / rate), loop=0, optimize=True
    )
    return out.getvalue()
