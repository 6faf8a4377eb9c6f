  def window_mask(self: __torch__.Program, tokens: int, window: int, like: Tensor) -> Tensor:
    # (1, 1, T, T): 0 where a token sees another, its own and window - 1 before it, -inf elsewhere
    i = torch.arange(tokens, dtype=4, layout=None, device=ops.prim.device(like), pin_memory=None)
    distance = torch.sub(torch.unsqueeze(i, 1), torch.unsqueeze(i, 0))
    hidden = torch.logical_or(torch.lt(distance, 0), torch.ge(distance, window))
    mask = torch.masked_fill(torch.zeros([tokens, tokens], dtype=ops.prim.dtype(like), layout=None, device=ops.prim.device(like), pin_memory=None), hidden, -inf)
    return torch.reshape(mask, [1, 1, tokens, tokens])
  def attend(self: __torch__.Program, q: Tensor, k: Tensor, v: Tensor, lengths: List[int], padding: Optional[Tensor], causal: bool, window: int, scale: float) -> Tensor:
    # q (B * T, H, d); k, v (B * T, H / groups, d), a row for each sequence; padding is a mask, (B, 1, 1, T) -> (B * T, H * d)
    rows = torch.len(lengths)
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
    mask = padding
    if torch.__and__(causal, torch.gt(ops.prim.max(lengths), window)):
      mask = (self).window_mask(torch.size(q, 2), window, q)
      causal = False
    else:
      mask = mask
      causal = causal
    y = torch.scaled_dot_product_attention(q, k, v, mask, 0., causal, scale=scale, enable_gqa=False)
    return torch.flatten(torch.flatten(torch.transpose(y, 1, 2), 2, 3), 0, 1)
  def row_tokens(self: __torch__.Program, longest: int) -> int:
    # of a CPU's softmax the last tokens beyond a multiple of 16 take as long as 16 each: many of them are better padded
    rest = torch.remainder(longest, 16)
    if torch.ge(rest, 8):
      tokens = torch.sub(torch.add(longest, 16), rest)
    else:
      tokens = longest
    return tokens
  def layout(self: __torch__.Program, lengths: List[int], x: Tensor) -> List[Tensor]:
    # where each token of padded rows is among all sequences' (padding repeats a row's last one), where each of those is in
    # the rows (anywhere, for tokens of no sequence), and the mask of padding, (B, 1, 1, T); nothing where all are in place
    longest = (self).row_tokens(ops.prim.max(lengths))
    rows = torch.len(lengths)
    layout = annotate(List[Tensor], [])
    if torch.__and__(torch.eq(ops.prim.min(lengths), longest), torch.eq(torch.mul(rows, longest), torch.size(x, 0))):
      layout = layout
    else:
      each = torch.unsqueeze(torch.tensor(lengths, dtype=4, device=ops.prim.device(x), requires_grad=False), 1)
      i = torch.unsqueeze(torch.arange(longest, dtype=4, layout=None, device=ops.prim.device(x), pin_memory=None), 0)
      padding = torch.ge(i, each)
      starts = torch.sub(torch.cumsum(each, 0), each)
      to_rows = torch.reshape(torch.add(starts, torch.minimum(i, torch.sub(each, 1))), [-1])
      from_rows = torch.squeeze(torch.nonzero(torch.reshape(torch.logical_not(padding), [-1])), 1)
      from_rows = torch.constant_pad_nd(from_rows, [0, torch.sub(torch.size(x, 0), torch.size(from_rows, 0))], 0)
      zeros = torch.zeros([rows, longest], dtype=ops.prim.dtype(x), layout=None, device=ops.prim.device(x), pin_memory=None)
      layout = [to_rows, from_rows, torch.reshape(torch.masked_fill(zeros, padding, -inf), [rows, 1, 1, longest])]
    return layout
  def attention(self: __torch__.Program, q: Tensor, k: Tensor, v: Tensor, lengths: List[int], layout: List[Tensor], causal: bool, window: int, scale: float) -> Tensor:
    # q (N, H, d); k, v (N, H / groups, d) -> (N, H * d); all sequences at once, as padded rows: one sequence after the
    # other would be too many small steps
    if torch.eq(torch.len(layout), 0):
      y = (self).attend(q, k, v, lengths, None, causal, window, scale)
    else:
      q = torch.index_select(q, 0, layout[0])
      k = torch.index_select(k, 0, layout[0])
      v = torch.index_select(v, 0, layout[0])
      if causal:
        # padding is on the right: no token sees it
        y = (self).attend(q, k, v, lengths, None, True, window, scale)
      else:
        y = (self).attend(q, k, v, lengths, layout[2], False, window, scale)
      y = torch.index_select(y, 0, layout[1])
    return y
