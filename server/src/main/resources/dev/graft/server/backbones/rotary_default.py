  def inverse_frequencies(self: __torch__.Program, lengths: Tensor) -> Tensor:
    # (1, d / 2), as transformers.modeling_rope_utils computes them, operation by operation
    i = torch.arange(0, $rotary_size, 2, dtype=6, layout=None, device=ops.prim.device(lengths), pin_memory=None)
    powers = torch.pow($theta, torch.div(i, $rotary_size))
    return torch.unsqueeze(torch.reciprocal(powers), 0)
