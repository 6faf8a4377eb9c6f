  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    # 16 bytes of scales and minima, 64 bytes, d, dmin: (d * scale) * q - dmin * minimum
    n = torch.size(blocks, 0)
    s = (self).bytes(blocks, 0, 16)
    scale = torch.to(torch.reshape(torch.bitwise_and(s, 15), [n, 16, 1]), 6) * (self).scale(halves, 40)
    minimum = torch.to(torch.reshape(torch.bitwise_right_shift(s, 4), [n, 16, 1]), 6) * (self).scale(halves, 41)
    q = (self).pairs(torch.reshape((self).bytes(blocks, 16, 80), [n, 2, 32]))
    x = torch.to(torch.reshape(q, [n, 16, 16]), 6)
    return torch.sub_(torch.mul_(x, scale), minimum)
