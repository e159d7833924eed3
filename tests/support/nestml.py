"""Texts of models in NESTML."""

from __future__ import annotations

LEAKY = """model leaky:
    state:
        V_m mV = E_L
        refr_t ms = 0 ms
    equations:
        kernel K = exp(-t / tau_syn)
        V_m' = -(V_m - E_L) / tau_m + (convolve(K, spikes) * 1 pA + I_e + I_stim) / C_m
        refr_t' = -1
    parameters:
        E_L mV = -70 mV
        V_th mV = -55 mV
        C_m pF = 250 pF
        tau_m ms = 10 ms
        tau_syn ms = 2 ms
        refr_T ms = 2 ms
        I_e pA = 0 pA
    input:
        spikes <- spike
        I_stim pA <- continuous
    output:
        spike
    update:
        if refr_t > 0 ms:
            integrate_odes(refr_t)
        else:
            integrate_odes(V_m)
    onCondition(refr_t <= 0 ms and V_m >= V_th):
        refr_t = refr_T
        V_m = E_L
        emit_spike()
"""


STATEMENTS = """model statements:
    state:
        n integer = 0
        x real = 0
        y real = 0
        z real = 0
        b boolean = false
    update:
        n += 1
        if n % 3 == 0:
            local real = sign(0 - n)
            x = local
        elif n // 3 == 1 and not b:
            x = 10
        else:
            x = clip(n, 2, 4)
        y = n > 5 ? pow(n, 2) : round(-2.5)
        b = n > 3
        z = min(n, 3) + abs(-1) - 2 * n**2 / 4
        n *= 2.5
        n /= 2

    function sign(x real) real:
        if x > 0:
            return 1
        elif x == 0:
            return 0
        half real = 0.5
        half *= 2
        return -half
"""


def model(state: str = "", update: str = "", **blocks: str) -> str:
    """The text of a model of these blocks; lines of a block are separated by `;`."""
    text = ["model tested:"]
    ports = "spikes <- spike; I_stim pA <- continuous"
    parts = {"state": state, "input": ports, "output": "spike", **blocks, "update": update}
    for name, body in parts.items():
        if body:
            text.append(f"    {name}:")
            text += [f"        {line}" for line in body.split("; ")]
    return "\n".join(text) + "\n"
