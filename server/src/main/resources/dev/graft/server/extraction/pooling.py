  def scaled(self: __torch__.Program, x: Tensor, normalize: bool) -> Tensor:
    if normalize:
      y = torch.div(x, torch.clamp(torch.norm(x, 2, [-1], True), 9.9999999999999998e-13, None))
    else:
      y = x
    return y
  def mean(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    return (self).scaled(torch.segment_reduce(torch.to(hidden, 6), "mean", lengths=lengths), normalize)
  def max(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    return (self).scaled(torch.segment_reduce(torch.to(hidden, 6), "max", lengths=lengths), normalize)
  def each(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    return (self).scaled(torch.to(hidden, 6), normalize)
