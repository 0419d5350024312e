"""What `lawful new` writes."""

TEMPLATE = '''"""A cooling cup: how fast, and towards which temperature? Solve with: lawful solve THIS_FILE --out run"""

import lawful as lf

# 1. Where: named axes with their ends. Time is an axis like any other.
domain = lf.Box(t=(0, 60))

# 2. What is measured: columns named like the axes and the fields. Leave noise out to have it estimated.
#    From a file: lf.Data.read("cup.csv", columns={"time [min]": "t", "temperature [C]": "T"}, noise=0.5)
data = lf.Data(
    {
        "t": [2, 5, 10, 15, 20, 25, 30, 40, 50, 60],
        "T": [79.6, 71.8, 61.0, 52.4, 45.3, 40.2, 36.0, 30.2, 26.8, 24.4],
    }
)

# 3. What is known and what is not. A law is a function of named quantities that is zero where it holds; T_t is dT/dt.
problem = lf.Problem(
    domain,
    fields="T",
    laws={"cooling": lambda T, T_t, k, T_room: T_t + k * (T - T_room)},
    conditions=[lf.Value(domain.at(t=0), T=lambda T_start: T_start)],
    unknowns={
        "k": lf.Positive(guess=0.01),  # per minute
        "T_room": lf.Real(guess=20.0),  # degrees
        "T_start": lf.Real(guess=90.0),
    },
    data=data,
)

# 4. How, if you care: method = lf.Collocation() or lf.Neural()
'''
