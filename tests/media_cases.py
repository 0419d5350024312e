"""Media that the tests of layers share, and a reference that knows nothing of how the room computes."""

import numpy as np

from lawful import media

ENDS = {
    "free": media.FreeEnd(),
    "fixed": media.FixedEnd(),
    "mass": media.MassEnd(40.0),
    "bar": media.HalfSpace(200e9, 7850.0),
}
REFERENCE = 1e5


def laminate(loss=0.0):
    """Aluminium, acrylic glass, titanium, magnesium."""
    return media.Stack(
        np.array([0.03, 0.02, 0.025, 0.01]),
        np.array([70e9, 5.5e9, 114e9, 45e9]),
        np.array([2700.0, 1180.0, 4430.0, 1740.0]),
        loss,
        REFERENCE if np.any(np.asarray(loss) > 0) else None,
    )


def line(count=40, sigma=2e3, highest=2e5):
    """Laplace's variable on a line beside the imaginary axis."""
    return sigma + 2j * np.pi * np.linspace(0.0, highest, count)


def by_transfer_matrices(stack, s, left, right):
    """Velocities of both faces for a unit traction on the first, by products of matrices of (velocity, force).

    Keeps its digits only while exp(s tau) is moderate.
    """
    change = np.asarray(stack.dispersion(s))
    near, far = np.empty(s.size, complex), np.empty(s.size, complex)
    (a, b), (c, d) = (np.asarray(end.relation(s)) for end in (right, left))
    for k in range(s.size):
        whole = np.eye(2)
        for index in range(len(stack)):
            z = float(stack.impedance[index]) * change[index, k]
            x = s[k] * float(stack.travel_time[index]) / change[index, k]
            whole = np.array([[np.cosh(x), -np.sinh(x) / z], [-z * np.sinh(x), np.cosh(x)]]) @ whole
        # Unknown: velocity and pressing force of the first face, then of the last.
        system = np.zeros((4, 4), complex)
        system[:2, :2], system[:2, 2:] = whole, -np.eye(2)
        system[2, 2:] = a[k], -b[k]
        system[3, :2] = c[k], d[k]
        near[k], _, far[k], _ = np.linalg.solve(system, [0, 0, 0, d[k]])
    return near, far
