"""Shapes from files and from shapely: volume, inside, normals, distance, repair, refusal."""

import builtins
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from lawful._core.messages import BadInput
from lawful.geometry import Ball, Mesh, Polygon

meshio = pytest.importorskip("meshio")
shapely = pytest.importorskip("shapely")

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
SQUARES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
FACETS = np.array([half for a, b, c, d in SQUARES for half in ((a, b, c), (a, c, d))])
CUBE = Mesh(CORNERS, FACETS)


def place(*row: float) -> dict:
    return {axis: np.array([value]) for axis, value in zip("xyz", row, strict=True)}


@pytest.mark.parametrize("suffix", ["stl", "ply", "vtk", "msh"])
def test_a_file_comes_back(tmp_path, suffix):
    file = tmp_path / f"cube.{suffix}"
    meshio.Mesh(2 * CORNERS, [("triangle", FACETS)]).write(file)
    cube = Mesh.read(file, label="skin")
    assert cube.measure == pytest.approx(8, rel=1e-6)
    assert cube.labels == ("skin",)
    assert cube.ends("z") == pytest.approx((0, 2))
    assert len(cube.corners) == 12


@pytest.mark.parametrize("turned", [[3], [0, 5, 6], list(range(12))])
def test_orientation_is_repaired(turned):
    facets = FACETS.copy()
    facets[turned] = facets[turned][:, ::-1]
    cube = Mesh(CORNERS, facets)
    assert cube.measure == pytest.approx(1, rel=1e-12)
    points = cube.boundary().sample(50, 0)
    normal = np.stack([cube.pieces[0].normal(points)[a] for a in "xyz"], axis=-1)
    outwards = np.stack([points[a] - 0.5 for a in "xyz"], axis=-1)
    np.testing.assert_allclose(np.sum(normal * outwards, axis=1), 0.5, rtol=1e-12)


def test_a_cavity_is_outside():
    both = Mesh(np.concatenate([CORNERS, 0.25 + CORNERS / 2]), np.concatenate([FACETS, FACETS + 8]))
    assert both.measure == pytest.approx(1 - 1 / 8, rel=1e-12)
    assert both.contains(place(0.5, 0.5, 0.5)).tolist() == [False]
    assert both.contains(place(0.1, 0.5, 0.5)).tolist() == [True]


def test_inside_on_and_outside():
    rng = np.random.default_rng(0)
    points = {axis: rng.uniform(-0.5, 1.5, 1000) for axis in "xyz"}
    inside = np.all([(v > 0) & (v < 1) for v in points.values()], axis=0)
    np.testing.assert_array_equal(CUBE.contains(points), inside)
    gap = np.stack([np.maximum(np.maximum(-v, v - 1), 0) for v in points.values()])
    outside = np.linalg.norm(gap, axis=0)
    np.testing.assert_allclose(CUBE.depth(points)[~inside], -outside[~inside], rtol=1e-9)
    deep = np.min([np.minimum(v, 1 - v) for v in points.values()], axis=0)
    np.testing.assert_allclose(CUBE.depth(points)[inside], deep[inside], rtol=1e-9)
    assert CUBE.contains(place(0, 0.5, 0.5)).tolist() == [True]
    assert np.all(CUBE.contains(CUBE.sample(100, 0)))


@pytest.mark.usefixtures("float64")
def test_the_distance_of_a_mesh():
    [piece] = CUBE.pieces
    scalar = lambda row: piece.distance(x=row[0], y=row[1], z=row[2])
    points = piece.sample(100, 1)
    rows = np.stack([points[a] for a in "xyz"], axis=-1)
    normal = np.stack([piece.normal(points)[a] for a in "xyz"], axis=-1)
    value, slope = jax.jit(jax.vmap(scalar)), jax.jit(jax.vmap(jax.grad(scalar)))
    assert np.abs(value(rows)).max() < 1e-12
    np.testing.assert_allclose(-slope(rows), normal, atol=1e-6)
    inside = CUBE.sample(100, 0)
    rows = jnp.stack([inside[a] for a in "xyz"], axis=-1)
    found, true = np.asarray(value(rows)), CUBE.depth(inside)
    assert np.all((found > 0.5 * true) & (found < 1.5 * true))
    assert np.all(np.isfinite(jax.jit(jax.vmap(jax.jacfwd(jax.jacfwd(jax.jacfwd(scalar)))))(rows)))


def test_points_on_a_mesh_are_uniform_in_area():
    points = CUBE.boundary().sample(3000, 0)
    for axis in "xyz":
        assert np.sum(points[axis] == 0) == pytest.approx(500, abs=15)
        assert points[axis].mean() == pytest.approx(0.5, abs=0.01)


def test_a_mesh_combines():
    bitten = CUBE - Ball(x=0, y=0, z=0, radius=0.5, label="bite")
    assert bitten.measure == pytest.approx(1 - math.pi / 48, rel=2e-3)
    assert bitten.boundary("bite").surfaces[0].measure == pytest.approx(math.pi / 8, rel=1e-2)


@pytest.mark.parametrize(
    ("vertices", "triangles", "words"),
    [
        (CORNERS, FACETS[:-1], "not closed: 3 of its edges"),
        (CORNERS, np.concatenate([FACETS, FACETS[:1]]), "not closed"),
        (CORNERS, FACETS + 1, "name vertex 8, but there are 8"),
        (CORNERS[:, :2], FACETS, r"shape \(v, 3\)"),
        (CORNERS, FACETS[:, :2], r"shape \(n, 3\)"),
    ],
)
def test_what_is_no_solid_is_refused(vertices, triangles, words):
    with pytest.raises(BadInput, match=words):
        Mesh(vertices, triangles)


def test_files_that_cannot_be_used(tmp_path):
    with pytest.raises(BadInput, match="no mesh file"):
        Mesh.read(tmp_path / "none.stl")
    (tmp_path / "text.stl").write_text("no mesh")
    with pytest.raises(BadInput, match=r"text.stl' cannot be read"):
        Mesh.read(tmp_path / "text.stl")
    (tmp_path / "data.odd").write_text("no mesh")
    with pytest.raises(BadInput, match=r"data.odd' cannot be read"):
        Mesh.read(tmp_path / "data.odd")
    meshio.Mesh(CORNERS, [("line", [[0, 1]])]).write(tmp_path / "line.vtk")
    with pytest.raises(BadInput, match="holds no triangles but line"):
        Mesh.read(tmp_path / "line.vtk")
    meshio.Mesh(CORNERS, [("triangle", FACETS)]).write(tmp_path / "cube.vtk")
    with pytest.raises(BadInput, match="is not plane; read solids with"):
        Polygon.read(tmp_path / "cube.vtk")


@pytest.mark.parametrize("missing", ["meshio", "shapely"])
def test_a_missing_extra_is_named(monkeypatch, missing, tmp_path):
    real = builtins.__import__

    def without(name, *rest, **more):
        if name.split(".")[0] == missing:
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(BadInput, match=rf"{missing}; install it with: pip install lawful\[mesh\]"):
        Mesh.read(tmp_path / "a.stl") if missing == "meshio" else Polygon.from_shapely(None)


def test_a_plane_mesh_becomes_its_outline(tmp_path):
    """A square ring of eight squares, half of the triangles turned over."""
    grid = np.array([[x, y, 0] for y in range(4) for x in range(4)], dtype=float)
    squares = [
        (4 * y + x, 4 * y + x + 1, 4 * y + x + 5, 4 * y + x + 4) for y in range(3) for x in range(3) if (x, y) != (1, 1)
    ]
    triangles = [half for a, b, c, d in squares for half in ((a, b, c), (a, d, c))]
    file = tmp_path / "ring.msh"
    meshio.Mesh(grid, [("triangle", np.array(triangles))]).write(file)
    ring = Polygon.read(file)
    assert ring.measure == pytest.approx(8)
    assert ring.boundary("hole 0").surfaces
    assert sum(p.measure for p in ring.pieces) == pytest.approx(16)


def test_shapely_geometries():
    outer, hole = [(0, 0), (4, 0), (4, 4), (0, 4)], [(1, 1), (2, 1), (2, 2), (1, 2)]
    plate = Polygon.from_shapely(shapely.Polygon(outer, [hole]))
    assert plate.measure == pytest.approx(15)
    assert plate.labels == ("side 0", "side 1", "side 2", "side 3", "hole 0")
    two = shapely.MultiPolygon([shapely.Polygon(outer, [hole]), shapely.Polygon([(5, 0), (6, 0), (5, 1)])])
    assert Polygon.from_shapely(two, axes=("r", "z")).measure == pytest.approx(15.5)
    round_one = shapely.Point(0, 0).buffer(1, quad_segs=16)
    assert Polygon.from_shapely(round_one, label="rim").measure == pytest.approx(round_one.area)


@pytest.mark.parametrize(
    ("geometry", "words"),
    [
        (3, "takes a shapely Polygon"),
        (shapely.Point(0, 0), "takes a shapely Polygon"),
        (shapely.Polygon(), "it is empty"),
        (shapely.Polygon([(0, 0), (1, 1), (1, 0), (0, 1)]), "Self-intersection"),
    ],
)
def test_what_is_no_area_is_refused(geometry, words):
    with pytest.raises(BadInput, match=words):
        Polygon.from_shapely(geometry)
