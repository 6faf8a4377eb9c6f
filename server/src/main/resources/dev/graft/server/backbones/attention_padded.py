  def layout(self: __torch__.Program, lengths: List[int], x: Tensor) -> List[Tensor]:
    # where each token of padded rows is among all sequences' (padding repeats a row's last one), where each of those is in
    # the rows, and the mask of padding, (B, 1, 1, T); nothing where there is no padding
    longest = ops.prim.max(lengths)
    rows = torch.len(lengths)
    layout = annotate(List[Tensor], [])
    if torch.eq(torch.mul(rows, longest), torch.size(x, 0)):
      layout = layout
    else:
      each = torch.unsqueeze(torch.tensor(lengths, dtype=4, device=ops.prim.device(x), requires_grad=False), 1)
      i = torch.unsqueeze(torch.arange(longest, dtype=4, layout=None, device=ops.prim.device(x), pin_memory=None), 0)
      padding = torch.ge(i, each)
      starts = torch.sub(torch.cumsum(each, 0), each)
      to_rows = torch.reshape(torch.add(starts, torch.minimum(i, torch.sub(each, 1))), [-1])
      from_rows = torch.squeeze(torch.nonzero(torch.reshape(torch.logical_not(padding), [-1])), 1)
      zeros = torch.zeros([rows, longest], dtype=ops.prim.dtype(x), layout=None, device=ops.prim.device(x), pin_memory=None)
      layout = [to_rows, from_rows, torch.reshape(torch.masked_fill(zeros, padding, -inf), [rows, 1, 1, longest])]
    return layout
  def attention(self: __torch__.Program, q: Tensor, k: Tensor, v: Tensor, lengths: List[int], layout: List[Tensor], causal: bool, window: int, scale: float) -> Tensor:
    # q (N, H, d); k, v (N, H / groups, d) -> (N, H * d); all sequences at once, as padded rows: a GPU would wait for the
    # many small steps of one sequence after the other
    rows = torch.len(lengths)
    if torch.eq(torch.len(layout), 0):
      y = (self).attend(q, k, v, rows, None, causal, window, scale)
    else:
      q = torch.index_select(q, 0, layout[0])
      k = torch.index_select(k, 0, layout[0])
      v = torch.index_select(v, 0, layout[0])
      if causal:
        # padding is on the right: no token sees it
        y = (self).attend(q, k, v, rows, None, True, window, scale)
      else:
        y = (self).attend(q, k, v, rows, layout[2], False, window, scale)
      y = torch.index_select(y, 0, layout[1])
    return y
