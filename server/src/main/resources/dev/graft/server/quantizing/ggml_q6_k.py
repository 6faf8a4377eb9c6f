  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    # 128 bytes, 64 bytes of the upper two bits, 16 signed scales, d: (d * scale) * (q - 32)
    n = torch.size(blocks, 0)
    s = torch.to(torch.to((self).bytes(blocks, 192, 208), 1), 6)
    scale = torch.reshape(s, [n, 16, 1]) * (self).scale(halves, 104)
    low = torch.reshape((self).nibbles(torch.reshape((self).bytes(blocks, 0, 128), [n, 2, 64])), [n, 16, 16])
    high = torch.reshape((self).pairs(torch.reshape((self).bytes(blocks, 128, 192), [n, 2, 32])), [n, 16, 16])
    x = torch.to(torch.bitwise_or(low, torch.bitwise_left_shift(high, 4)), 6)
    return torch.mul_(torch.sub_(x, 32), scale)
