  def layout(self: __torch__.Program, lengths: List[int], x: Tensor) -> List[Tensor]:
    return annotate(List[Tensor], [])
  def attention(self: __torch__.Program, q: Tensor, k: Tensor, v: Tensor, lengths: List[int], layout: List[Tensor], causal: bool, window: int, scale: float) -> Tensor:
    # q (N, H, d); k, v (N, H / groups, d) -> (N, H * d); sequences of one length that stand side by side at once
    parts = annotate(List[Tensor], [])
    start = 0
    rows = 0
    for i in range(torch.len(lengths)):
      rows = torch.add(rows, 1)
      if torch.eq(torch.add(i, 1), torch.len(lengths)):
        ends = True
      else:
        ends = torch.ne(lengths[i], lengths[torch.add(i, 1)])
      if ends:
        tokens = torch.mul(rows, lengths[i])
        y = (self).attend(torch.narrow(q, 0, start, tokens), torch.narrow(k, 0, start, tokens), torch.narrow(v, 0, start, tokens), rows, None, causal, window, scale)
        _0 = torch.append(parts, y)
        start = torch.add(start, tokens)
        rows = 0
      else:
        start = start
        rows = rows
    return torch.cat(parts, 0)
