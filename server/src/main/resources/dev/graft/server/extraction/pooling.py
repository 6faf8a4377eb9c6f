  def scaled(self: __torch__.Program, x: Tensor, normalize: bool) -> Tensor:
    if normalize:
      y = torch.div(x, torch.clamp(torch.norm(x, 2, [-1], True), 9.9999999999999998e-13, None))
    else:
      y = x
    return y
  def last(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    picked = torch.index_select(hidden, 0, torch.cumsum(lengths, 0) - 1)
    return (self).scaled(torch.to(picked, 6), normalize)
  def cls(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    picked = torch.index_select(hidden, 0, torch.cumsum(lengths, 0) - lengths)
    return (self).scaled(torch.to(picked, 6), normalize)
  def mean(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    return (self).scaled(torch.segment_reduce(torch.to(hidden, 6), "mean", lengths=lengths), normalize)
  def max(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    return (self).scaled(torch.segment_reduce(torch.to(hidden, 6), "max", lengths=lengths), normalize)
  def none(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    return (self).scaled(torch.to(hidden, 6), normalize)
