  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    # 32 bytes of third bits (4 less where it is 0), 64 bytes, 12 bytes of scales (less 32), d: (d * scale) * q
    n = torch.size(blocks, 0)
    low = torch.reshape((self).nibbles((self).bytes(blocks, 96, 104)), [n, 16])
    high = torch.reshape((self).pairs((self).bytes(blocks, 104, 108)), [n, 16])
    s = torch.bitwise_or(low, torch.bitwise_left_shift(high, 4))
    scale = torch.sub_(torch.to(torch.reshape(s, [n, 16, 1]), 6), 32) * (self).scale(halves, 54)
    third = torch.reshape((self).singles((self).bytes(blocks, 0, 32)), [n, 16, 16])
    q = torch.reshape((self).pairs(torch.reshape((self).bytes(blocks, 32, 96), [n, 2, 32])), [n, 16, 16])
    x = torch.to(torch.bitwise_or(q, torch.bitwise_left_shift(third, 2)), 6)
    return torch.mul_(torch.sub_(x, 4), scale)
