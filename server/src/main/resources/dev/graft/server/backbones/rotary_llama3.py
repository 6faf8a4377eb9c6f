  def inverse_frequencies(self: __torch__.Program, lengths: Tensor) -> Tensor:
    # (1, d / 2), as transformers.modeling_rope_utils computes them, operation by operation
    i = torch.arange(0, $rotary_size, 2, dtype=6, layout=None, device=ops.prim.device(lengths), pin_memory=None)
    plain = torch.reciprocal(torch.pow($theta, torch.div(i, $rotary_size)))
    wavelength = torch.mul(torch.reciprocal(plain), $two_pi)
    low = torch.gt(wavelength, $low_frequency_wavelength)
    high = torch.lt(wavelength, $high_frequency_wavelength)
    scaled = torch.where(low, torch.div(plain, $factor), plain)
    smooth = torch.div(torch.sub(torch.mul(torch.reciprocal(wavelength), $original_max_positions), $low_frequency_factor), $frequency_factor_range)
    smoothed = torch.add(torch.div(torch.mul(torch.rsub(smooth, 1), scaled), $factor), torch.mul(smooth, scaled))
    return torch.unsqueeze(torch.where(torch.logical_or(low, high), scaled, smoothed), 0)
