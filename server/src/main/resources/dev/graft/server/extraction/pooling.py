  def scaled(self: __torch__.Program, x: Tensor, normalize: bool) -> Tensor:
    if normalize:
      y = torch.div(x, torch.clamp(torch.norm(x, 2, [-1], True), 9.9999999999999998e-13, None))
    else:
      y = x
    return y
  def mask(self: __torch__.Program, hidden: Tensor, lengths: Tensor) -> Tensor:
    positions = torch.arange(torch.size(hidden, 1), dtype=4, layout=None, device=ops.prim.device(hidden), pin_memory=False)
    return torch.lt(torch.unsqueeze(positions, 0), torch.unsqueeze(lengths, 1))
  def last(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    rows = torch.arange(torch.size(hidden, 0), dtype=4, layout=None, device=ops.prim.device(hidden), pin_memory=False)
    flat = torch.reshape(hidden, [-1, torch.size(hidden, 2)])
    picked = torch.index_select(flat, 0, rows * torch.size(hidden, 1) + lengths - 1)
    return (self).scaled(torch.to(picked, 6), normalize)
  def cls(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    return (self).scaled(torch.to(torch.contiguous(torch.select(hidden, 1, 0)), 6), normalize)
  def mean(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    real = torch.unsqueeze(torch.to((self).mask(hidden, lengths), 6), 2)
    total = torch.sum(torch.to(hidden, 6) * real, [1], False, dtype=None)
    return (self).scaled(torch.div(total, torch.unsqueeze(torch.to(lengths, 6), 1)), normalize)
  def max(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    padding = torch.unsqueeze(torch.logical_not((self).mask(hidden, lengths)), 2)
    lowest = torch.masked_fill(torch.to(hidden, 6), padding, -3.4028234663852886e+38)
    return (self).scaled(torch.amax(lowest, [1], False), normalize)
  def none(self: __torch__.Program, hidden: Tensor, lengths: Tensor, normalize: bool) -> Tensor:
    real = torch.reshape((self).mask(hidden, lengths), [-1])
    index = torch.squeeze(torch.nonzero(real), 1)
    flat = torch.reshape(hidden, [-1, torch.size(hidden, 2)])
    return (self).scaled(torch.to(torch.index_select(flat, 0, index), 6), normalize)
