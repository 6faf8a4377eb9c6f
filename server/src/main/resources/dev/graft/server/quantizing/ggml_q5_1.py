  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    # d, m, 4 bytes of fifth bits, 16 bytes: q * d + m
    fifth = (self).fifth_bits((self).bytes(blocks, 4, 8))
    q = torch.to(torch.bitwise_or((self).nibbles((self).bytes(blocks, 8, 24)), fifth), 6)
    return torch.add_(torch.mul_(q, (self).scale(halves, 0)), (self).scale(halves, 1))
