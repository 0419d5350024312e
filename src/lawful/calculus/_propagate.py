"""Taylor series through a traced program: each equation takes the series of its inputs to its outputs.

This is Taylor-mode differentiation of all wanted orders and axes at once. A nested forward derivative of
order n carries 2^n terms, equal ones among them; the series carries each derivative once.

Source: A. Griewank, J. Utke and A. Walther, Evaluating higher derivative tensors by forward propagation of
univariate Taylor series, Math. Comp. 69 (2000), 1117; here the mixed coefficients are carried themselves.
"""

from collections.abc import Callable

from jax.extend.core import ClosedJaxpr, DebugInfo, Jaxpr, JaxprEqn, Literal, jaxpr_as_fun

from ._control import control_rule_for
from ._nested import nested
from ._orders import Orders
from ._rules import is_float, rule_for
from ._series import Series, constant, is_constant


def propagate(orders: Orders, program: ClosedJaxpr, arguments: list[Series]) -> list[Series]:
    """The series of a program's outputs, from the series of its arguments."""
    known: dict = {}
    for variable, value in zip(program.jaxpr.constvars, program.consts, strict=True):
        known[variable] = constant(orders, value)
    known.update(zip(program.jaxpr.invars, arguments, strict=True))

    def read(atom) -> Series:
        return constant(orders, atom.val) if isinstance(atom, Literal) else known[atom]

    for equation in program.jaxpr.eqns:
        results = _through(orders, equation, [read(atom) for atom in equation.invars])
        known.update(zip(equation.outvars, results, strict=True))
    return [read(atom) for atom in program.jaxpr.outvars]


def _through(orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    moving = [i for i, variable in enumerate(equation.outvars) if is_float(variable.aval)]
    if not moving or all(is_constant(each) for each in operands):
        return _unmoved(orders, equation, operands)
    rule = rule_for(equation, operands) or control_rule_for(equation, operands, propagate)
    if rule is not None:
        return rule(orders, equation, operands)
    run = _function(equation)
    series = nested(orders, lambda *arrays: [run(*arrays)[i] for i in moving], operands)
    if len(moving) == len(equation.outvars):
        return series
    found = dict(zip(moving, series, strict=True))
    return [found.get(i, value) for i, value in enumerate(_unmoved(orders, equation, operands))]


def _unmoved(orders: Orders, equation: JaxprEqn, operands: list[Series]) -> list[Series]:
    """The results as constants: of an equation that no coordinate enters, or whose results are integers."""
    results = _function(equation)(*(each[orders[0]] for each in operands))
    return [constant(orders, result) for result in results]


def _function(equation: JaxprEqn) -> Callable:
    """One equation as a plain function of its operands, returning the list of its results."""
    variables = list(dict.fromkeys(atom for atom in equation.invars if not isinstance(atom, Literal)))
    place = {variable: equation.invars.index(variable) for variable in variables}
    origin = DebugInfo("partials", equation.primitive.name, None, None)
    single = Jaxpr((), variables, equation.outvars, [equation], equation.effects, debug_info=origin)
    call = jaxpr_as_fun(ClosedJaxpr(single, ()))
    return lambda *operands: call(*(operands[place[variable]] for variable in variables))
