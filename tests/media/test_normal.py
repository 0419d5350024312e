"""Waves at normal incidence against closed forms, another method, conservation of energy and reciprocity."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import lawful as lf
from lawful import media
from media_cases import ENDS, by_transfer_matrices, laminate, line

pytestmark = pytest.mark.usefixtures("float64")

respond = jax.jit(media.respond)  # one program for stacks of one size and ends of one kind
few = settings(max_examples=25)
size = st.floats(-1.0, 1.0).map(lambda power: 10.0**power)


LOSSLESS = st.just(0.0)


@st.composite
def stacks(draw, loss=LOSSLESS):
    count = draw(st.sampled_from([1, 2, 5]))
    column = lambda scale: scale * np.array(draw(st.lists(size, min_size=count, max_size=count)))
    lossy = np.array(draw(st.lists(loss, min_size=count, max_size=count)))
    return media.Stack(column(0.01), column(30e9), column(3000.0), lossy, 1e5)


def close(found, wanted, tolerance):
    np.testing.assert_allclose(found, wanted, atol=tolerance * np.max(np.abs(wanted)), rtol=0)


def test_one_free_layer_has_a_closed_form():
    stack, s = media.Stack(0.05, 70e9, 2700.0), line()
    found = respond(stack, s)
    x, z = s * float(stack.travel_time[0]), float(stack.impedance[0])
    close(found.near, 1 / (z * np.tanh(x)), 1e-14)
    close(found.far, 1 / (z * np.sinh(x)), 1e-14)


@pytest.mark.parametrize("left", ENDS)
@pytest.mark.parametrize("right", ENDS)
@pytest.mark.parametrize("loss", [0.0, 0.05])
def test_every_pair_of_ends_agrees_with_transfer_matrices(left, right, loss):
    stack, s = laminate(loss), line()
    found = respond(stack, s, ENDS[left], ENDS[right])
    near, far = by_transfer_matrices(stack, s, ENDS[left], ENDS[right])
    if left == "fixed":  # a wall that does not give feels no traction
        assert not np.any(found.near)
        assert not np.any(found.far)
    else:
        close(found.near, near, 1e-11)
        close(found.far, far, 1e-11)


@few
@given(stacks())
def test_energy_is_conserved(stack):
    """What the traction feeds in leaves through the half-space, on the axis of real frequencies itself."""
    with jax.enable_x64(True):
        bar = ENDS["bar"]
        s = 2j * np.pi * np.linspace(1e3, 4e5, 37)
        found = respond(stack, s, right=bar)
        fed, left = np.real(found.near), np.abs(found.far) ** 2 * np.real(bar.impedance(s))
        np.testing.assert_allclose(left, fed, rtol=1e-12, atol=1e-12 * fed.max())
        # Without a half-space everything comes back.
        np.testing.assert_allclose(np.abs(respond(stack, s, right=ENDS["mass"]).reflection), 1.0, rtol=1e-12)


@few
@given(stacks(loss=st.floats(0.0, 0.2)))
def test_source_and_sensor_change_places(stack):
    with jax.enable_x64(True):
        s = line(21)
        turned = media.Stack(*(q[::-1] for q in (stack.thickness, stack.modulus, stack.density, stack.loss)), 1e5)
        there = respond(stack, s, ENDS["mass"], ENDS["bar"]).far
        back = respond(turned, s, ENDS["bar"], ENDS["mass"]).far
        close(back, there, 1e-12)


@few
@given(stacks(), st.integers(0, 5), st.floats(0.2, 5.0))
def test_only_impedance_and_travel_time_are_felt(stack, index, factor):
    """Stretch a layer, stiffen it and dilute it by one factor: nothing changes but rounding."""
    with jax.enable_x64(True):
        s, scale = line(21), np.ones(len(stack))
        scale[index % len(stack)] = factor
        other = media.Stack(stack.thickness * scale, stack.modulus * scale, stack.density / scale)
        close(respond(other, s, right=ENDS["bar"]).far, respond(stack, s, right=ENDS["bar"]).far, 1e-12)


def test_layers_without_contrast_are_one_layer():
    s = line()
    one = respond(media.Stack(0.06, 70e9, 2700.0, 0.02, 1e5), s, right=ENDS["bar"])
    three = respond(media.Stack([0.01, 0.02, 0.03], [70e9] * 3, [2700.0] * 3, 0.02, 1e5), s, right=ENDS["bar"])
    close(three.near, one.near, 1e-13)
    close(three.far, one.far, 1e-13)


def test_a_half_space_of_the_last_layer_lets_everything_through():
    stack, s = media.Stack(0.06, 70e9, 2700.0), line()
    found = respond(stack, s, right=media.HalfSpace(70e9, 2700.0))
    close(found.near, np.full(s.size, 1 / float(stack.impedance[0])), 1e-14)
    close(found.far, np.exp(-s * float(stack.travel_time[0])) / float(stack.impedance[0]), 1e-14)
    assert np.all(np.abs(found.reflection) < 1e-15)


def test_nothing_overflows_where_matrices_do():
    """A thousand layers of a thousand wavelengths each, and strong damping: exp(s tau) is 1e4000."""
    count = 1000
    stack = media.Stack(np.full(count, 10.0), np.resize([70e9, 5e9], count), np.resize([2700.0, 1200.0], count))
    found = respond(stack, line(5, sigma=1e5), right=ENDS["bar"])
    assert np.all(np.isfinite(found.near))
    assert np.all(found.far == 0)
    exact = 1 / float(stack.impedance[0])  # of an endless first layer: nothing returns in time
    close(found.near, np.full(5, exact), 1e-12)


def test_a_constant_loss_factor_takes_the_same_share_from_every_cycle():
    """|exp(-s tau)| falls by exp(-pi loss f tau) for small losses, and the modulus holds at the reference."""
    loss, tau = 0.02, 1e-4
    stack = media.Stack(tau * 5000.0, 2500.0 * 5000.0**2, 2500.0, loss, 1e5)
    end = media.HalfSpace(2500.0 * 5000.0**2, 2500.0, loss, 1e5)
    f = np.array([0.5e5, 1e5, 2e5])
    passed = np.asarray(respond(stack, 2j * np.pi * f, right=end).far) * float(stack.impedance[0])
    gamma = np.arctan(loss) / np.pi
    slow = np.exp(-1j * np.pi * gamma / 2) * (f / 1e5) ** -gamma  # 1 / sqrt(M / modulus)
    close(passed, np.exp(-2j * np.pi * f * tau * slow) * slow, 1e-12)
    np.testing.assert_allclose(-np.log(np.abs(passed)) / (np.pi * loss * f * tau), 1.0, rtol=0.01)


def test_derivatives_are_those_of_the_values():
    s = jnp.asarray(line(9))

    @jax.jit
    def parts(logs):
        own = jax.tree.map(jnp.exp, logs)
        left, right = media.MassEnd(own.pop("mass")), media.HalfSpace(**own.pop("bar"), reference=1e5)
        found = media.respond(media.Stack(**own, reference=1e5), s, left, right)
        return 1e7 * jnp.concatenate([jnp.stack([w.real, w.imag]).ravel() for w in (found.near, found.far)])

    given = {key: jnp.asarray(getattr(laminate(0.05), key)) for key in ("thickness", "modulus", "density", "loss")}
    given |= {"mass": jnp.array(30.0), "bar": {"modulus": 200e9, "density": 7850.0, "loss": 0.1}}
    lf.check_gradient(parts, jax.tree.map(lambda leaf: jnp.log(jnp.asarray(leaf)), given))


def test_many_stacks_at_once():
    s = jnp.asarray(line(7))
    factors = jnp.linspace(0.5, 2.0, 5)
    one = lambda factor: respond(media.Stack(0.02 * jnp.array([1.0, factor]), [70e9, 5e9], [2.7e3, 1.2e3]), s).far
    together = jax.jit(jax.vmap(one))(factors)
    for factor, row in zip(factors, together, strict=True):
        close(row, one(factor), 1e-13)


def test_single_precision_keeps_six_digits():
    s = line(20)
    with jax.enable_x64(False):
        found = respond(laminate(), jnp.asarray(s, jnp.complex64), right=ENDS["bar"])
        assert found.far.dtype == jnp.complex64
    close(found.far, np.asarray(respond(laminate(), s, right=ENDS["bar"]).far), 2e-5)
