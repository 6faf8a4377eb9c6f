  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    # d, 4 bytes of fifth bits, 16 bytes: (q - 16) * d
    fifth = (self).fifth_bits((self).bytes(blocks, 2, 6))
    q = torch.to(torch.bitwise_or((self).nibbles((self).bytes(blocks, 6, 22)), fifth), 6)
    return torch.mul_(torch.sub_(q, 16), (self).scale(halves, 0))
