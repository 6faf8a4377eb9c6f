  def unfused_attention(self: __torch__.Program, q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor], causal: bool, scale: float) -> Tensor:
    # (B, H, T, d) each -> (B, H, T, d)
    scores = torch.matmul(torch.mul(q, scale), torch.transpose(k, 2, 3))
    if torch.__is__(mask, None):
      scores = scores
    else:
      scores = torch.add_(scores, unchecked_cast(Tensor, mask))
    if causal:
      tokens = torch.size(q, 2)
      future = torch.full([tokens, tokens], -inf, dtype=ops.prim.dtype(q), layout=None, device=ops.prim.device(q), pin_memory=None)
      scores = torch.add_(scores, torch.triu(future, 1))
    else:
      scores = scores
    return torch.matmul(torch.softmax(scores, -1), v)
  def attention(self: __torch__.Program, q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor], causal: bool, scale: float) -> Tensor:
    # q (B, T, H, d); k, v (B, T, H / groups, d); mask is added, (B or 1, 1, T or 1, T) -> (B, T, H * d)
    if $groups > 1:
      # enable_gqa takes an unfused path on the CPU, at twice the time of these copies
      k = torch.repeat_interleave(k, $groups, 2)
      v = torch.repeat_interleave(v, $groups, 2)
    else:
      k = k
      v = v
    q = torch.transpose(q, 1, 2)
    k = torch.transpose(k, 1, 2)
    v = torch.transpose(v, 1, 2)
    if torch.__and__(torch.ne(ops.prim.dtype(q), 6), torch.le(torch.size(q, 2), $unfused_tokens)):
      y = (self).unfused_attention(q, k, v, mask, causal, scale)
    else:
      y = torch.scaled_dot_product_attention(q, k, v, mask, 0., causal, scale=scale, enable_gqa=False)
    return torch.flatten(torch.transpose(y, 1, 2), 2, 3)
