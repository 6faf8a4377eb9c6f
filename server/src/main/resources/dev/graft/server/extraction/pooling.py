  def scaled(self: __torch__.Program, x: Tensor, normalize: bool) -> Tensor:
    if normalize:
      y = torch.div(x, torch.clamp(torch.norm(x, 2, [-1], True), 9.9999999999999998e-13, None))
    else:
      y = x
    return y
  def padded(self: __torch__.Program, hidden: Tensor, lengths: List[int]) -> Tuple[Tensor, Tensor]:
    # (B, T, D) of each sequence's rows, the last of which is repeated; and where those repetitions are, (B, T, 1)
    each = torch.unsqueeze(torch.tensor(lengths, dtype=4, device=ops.prim.device(hidden), requires_grad=False), 1)
    i = torch.unsqueeze(torch.arange(ops.prim.max(lengths), dtype=4, layout=None, device=ops.prim.device(hidden), pin_memory=False), 0)
    index = torch.cumsum(each, 0) - each + torch.minimum(i, each - 1)
    rows = torch.to(torch.index_select(hidden, 0, torch.reshape(index, [-1])), 6)
    return (torch.reshape(rows, [torch.len(lengths), -1, torch.size(hidden, 1)]), torch.unsqueeze(torch.ge(i, each), 2))
  def mean(self: __torch__.Program, hidden: Tensor, lengths: List[int], normalize: bool) -> Tensor:
    rows, padding = (self).padded(hidden, lengths)
    total = torch.sum(torch.masked_fill(rows, padding, 0.), [1], False, dtype=None)
    count = torch.sum(torch.logical_not(padding), [1], False, dtype=None)
    return (self).scaled(torch.div(total, count), normalize)
  def max(self: __torch__.Program, hidden: Tensor, lengths: List[int], normalize: bool) -> Tensor:
    rows, padding = (self).padded(hidden, lengths)
    return (self).scaled(torch.amax(rows, [1], False), normalize)
  def each(self: __torch__.Program, hidden: Tensor, lengths: List[int], normalize: bool) -> Tensor:
    return (self).scaled(torch.to(hidden, 6), normalize)
