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
  def window_mask(self: __torch__.Program, tokens: int, window: int, like: Tensor) -> Tensor:
    # (1, 1, T, T): 0 where a token sees another, its own and window - 1 before it, -inf elsewhere
    i = torch.arange(tokens, dtype=4, layout=None, device=ops.prim.device(like), pin_memory=None)
    distance = torch.sub(torch.unsqueeze(i, 1), torch.unsqueeze(i, 0))
    hidden = torch.logical_or(torch.lt(distance, 0), torch.ge(distance, window))
    mask = torch.masked_fill(torch.zeros([tokens, tokens], dtype=ops.prim.dtype(like), layout=None, device=ops.prim.device(like), pin_memory=None), hidden, -inf)
    return torch.reshape(mask, [1, 1, tokens, tokens])
  def attend(self: __torch__.Program, q: Tensor, k: Tensor, v: Tensor, rows: int, padding: Optional[Tensor], causal: bool, window: int, scale: float) -> Tensor:
    # q (B * T, H, d); k, v (B * T, H / groups, d), of B rows; padding is a mask, (B, 1, 1, T) -> (B * T, H * d)
    if $groups > 1:
      # enable_gqa takes an unfused path on the CPU, at twice the time of these copies
      k = torch.repeat_interleave(k, $groups, 1)
      v = torch.repeat_interleave(v, $groups, 1)
    else:
      k = k
      v = v
    q = torch.transpose(torch.reshape(q, [rows, -1, $heads, $head_size]), 1, 2)
    k = torch.transpose(torch.reshape(k, [rows, -1, $heads, $head_size]), 1, 2)
    v = torch.transpose(torch.reshape(v, [rows, -1, $heads, $head_size]), 1, 2)
    tokens = torch.size(q, 2)
    mask = padding
    if torch.__and__(causal, torch.gt(tokens, window)):
      mask = (self).window_mask(tokens, window, q)
      causal = False
    else:
      mask = mask
      causal = causal
    if torch.__and__(torch.ne(ops.prim.dtype(q), 6), torch.le(tokens, $unfused_tokens)):
      y = (self).unfused_attention(q, k, v, mask, causal, scale)
    else:
      y = torch.scaled_dot_product_attention(q, k, v, mask, 0., causal, scale=scale, enable_gqa=False)
    return torch.flatten(torch.flatten(torch.transpose(y, 1, 2), 2, 3), 0, 1)
