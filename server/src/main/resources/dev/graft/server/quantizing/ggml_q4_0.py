  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    # d, 16 bytes: (q - 8) * d
    q = (self).float_nibbles(torch.slice(blocks, 1, 2, 18))
    return torch.mul_(torch.sub_(q, 8), (self).scale(halves, 0))
