"""draft"""
from __future__ import annotations
import jax, jax.numpy as jnp, numpy as np, equinox as eqx, time
from .._core.precision import in_float64
from .._core.compilation import compiled
from ._motion import SecondOrder
from ._mechanics import Mechanics
from ._march import *
from ._recipe import recipe_of
from ._expand import settled
from jax.flatten_util import ravel_pytree

def dynamic(x): return isinstance(x,(jax.Array,np.ndarray,float,np.floating)) 
def build(motion, contacts, args, start, settings):
    arrays, static = eqx.partition((motion, tuple(contacts), args), dynamic)
    leaves, structure = jax.tree.flatten(arrays)
    parameters=[jnp.asarray(x,float) if jnp.issubdtype(jnp.result_type(x),jnp.floating) else jnp.asarray(x) for x in leaves]
    q,v=start
    y=[jnp.asarray(x,float) for x in jax.tree.leaves((q,v))]
    shapes=[]
    for c in contacts:
        shapes.append(jax.eval_shape(lambda: c.gaps(jnp.zeros(()), q, args)).shape)
    system=Mechanics(static, structure, contacts, q, shapes, settings.tolerance)
    return system, parameters, y

def machine_of(system, parameters, y, settings):
    t=jnp.zeros(())
    mode=system.start(t,y,parameters)[1]
    data=system.data(mode)
    def flow(t,y,data,parameters):
        rates,g=system.flow(t,y,data,parameters)
        return [*rates, g]
    program=jax.make_jaxpr(lambda t,*xs: flow(t,list(xs[:len(y)]),list(xs[len(y):len(y)+len(data)]),list(xs[len(y)+len(data):])))(t,*y,*data,*parameters)
    return Machine(system, recipe_of(program,len(y),len(data)), settings)

@in_float64
def run(motion, contacts, args, start, until, settings, count=64, level=None):
    from .._core.compilation import options
    system, parameters, y = build(motion, contacts, args, start, settings)
    t0=time.process_time()
    machine=machine_of(system, parameters, y, settings)
    def go(y,end,parameters):
        known=settled(machine.recipe, parameters)
        t=jnp.zeros(())
        y,mode,fresh,ok=system.start(t,y,parameters)
        place=Place(t,y,mode,fresh,jnp.ones(()),jnp.zeros((),int),jnp.zeros((),int),jnp.zeros((),int))
        return march(machine, place, end, known, parameters, count)
    low=jax.jit(go).lower(y,jnp.asarray(until,float),parameters)
    t1=time.process_time()
    c=low.compile(compiler_options=None if level is None else options(level)["compiler_options"])
    t2=time.process_time()
    print(f"trace {t1-t0:.2f} compile {t2-t1:.2f}", len(machine.recipe.steps), "steps in recipe")
    b=time.perf_counter(); r=c(y,jnp.asarray(until,float),parameters); jax.block_until_ready(r)
    b=time.perf_counter(); r=c(y,jnp.asarray(until,float),parameters); jax.block_until_ready(r)
    print("run ms",(time.perf_counter()-b)*1e3)
    return r

@in_float64
def grad_test(motion, contacts, args, start, until, settings, count=64):
    from ._replay import plan_of, replay
    from .._core.compilation import options
    system, parameters, y = build(motion, contacts, args, start, settings)
    machine=machine_of(system, parameters, y, settings)
    def go(y,end,parameters):
        t=jnp.zeros(())
        known=settled(machine.recipe, parameters)
        y,mode,fresh,ok=system.start(t,y,parameters)
        place=Place(t,y,mode,fresh,jnp.ones(()),jnp.zeros((),int),jnp.zeros((),int),jnp.zeros((),int))
        place,log=march(machine, place, end, known, parameters, count)
        return plan_of(log, place.status==ARRIVED)
    plan=jax.jit(go,**options(0))(y,jnp.asarray(until,float),parameters)
    def f(y,end,parameters): 
        return replay(machine, plan, jnp.zeros(()), y, end, parameters).final_y[0]
    t0=time.process_time()
    g=jax.jit(jax.value_and_grad(f,argnums=(0,1,2)),**options(0))
    r=g(y,jnp.asarray(until,float),parameters); print("grad compile",time.process_time()-t0)
    t0=time.process_time()
    h=jax.jit(jax.jacfwd(jax.grad(f,argnums=(0,1,2)),argnums=(0,1,2)),**options(0))(y,jnp.asarray(until,float),parameters); print("hess compile",time.process_time()-t0)
    return r,h
