  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    # d, 16 bytes: (q - 8) * d
    q = torch.to((self).nibbles((self).bytes(blocks, 2, 18)), 6)
    return torch.mul_(torch.sub_(q, 8), (self).scale(halves, 0))
