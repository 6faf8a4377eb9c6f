  def inverse_frequencies(self: __torch__.Program, lengths: Tensor) -> Tensor:
    # (1, d / 2), as transformers.modeling_rope_utils computes them, operation by operation
    i = torch.arange(0, $rotary_size, 2, dtype=6, layout=None, device=ops.prim.device(lengths), pin_memory=None)
    powers = torch.pow($theta, torch.div(i, $rotary_size))
    extrapolated = torch.reciprocal(powers)
    interpolated = torch.reciprocal(torch.mul(powers, $factor))
    j = torch.arange(0, $half_rotary_size, 1, dtype=6, layout=None, device=ops.prim.device(lengths), pin_memory=None)
    ramp = torch.clamp(torch.div(torch.sub(j, $ramp_low), $ramp_range), 0, 1)
    keep = torch.rsub(ramp, 1)
    return torch.unsqueeze(torch.add(torch.mul(interpolated, torch.rsub(keep, 1)), torch.mul(extrapolated, keep)), 0)
