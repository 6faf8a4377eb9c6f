  def inverse_frequencies(self: __torch__.Program, lengths: Tensor) -> Tensor:
    # (N, d / 2): a token's base grows with its own sequence's length
    i = torch.arange(0, $rotary_size, 2, dtype=6, layout=None, device=ops.prim.device(lengths), pin_memory=None)
    exponents = torch.unsqueeze(torch.div(i, $rotary_size), 0)
    usual = torch.pow($theta, exponents)
    length = torch.unsqueeze(torch.to(lengths, 6), 1)
    stretch = torch.sub(torch.div(torch.mul(length, $factor), $max_positions), $factor_less_one)
    base = torch.mul(torch.pow(torch.clamp(stretch, 1., None), $exponent), $theta)
    grown = torch.pow(base, exponents)
    return torch.reciprocal(torch.where(torch.gt(length, $max_positions), grown, usual))
