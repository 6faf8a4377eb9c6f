  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    # d, m, 16 bytes: q * d + m
    q = torch.to((self).nibbles((self).bytes(blocks, 4, 20)), 6)
    return torch.add_(torch.mul_(q, (self).scale(halves, 0)), (self).scale(halves, 1))
