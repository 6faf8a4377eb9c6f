  def attention(self: __torch__.Program, q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor], causal: bool, scale: float) -> Tensor:
    # q (B, T, H, d); k, v (B, T, H / groups, d); mask is added, (B or 1, 1, T or 1, T) -> (B, T, H * d)
    if $groups > 1:
      # enable_gqa takes an unfused path on the CPU, at twice the time of these copies
      k = torch.repeat_interleave(k, $groups, 2)
      v = torch.repeat_interleave(v, $groups, 2)
    else:
      k = k
      v = v
    y = torch.scaled_dot_product_attention(torch.transpose(q, 1, 2), torch.transpose(k, 1, 2), torch.transpose(v, 1, 2), mask, 0., causal, scale=scale, enable_gqa=False)
    return torch.flatten(torch.transpose(y, 1, 2), 2, 3)
