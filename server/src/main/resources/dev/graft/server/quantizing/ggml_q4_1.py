  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    # d, m, 16 bytes: q * d + m
    q = (self).float_nibbles(torch.slice(blocks, 1, 4, 20))
    return torch.add_(torch.mul_(q, (self).scale(halves, 0)), (self).scale(halves, 1))
