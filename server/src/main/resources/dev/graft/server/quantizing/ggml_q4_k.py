  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    # d, dmin, 12 bytes of scales and minima, 128 bytes: (d * scale) * q - dmin * minimum
    n = torch.size(blocks, 0)
    s = (self).scales_and_minima((self).bytes(blocks, 4, 16))
    scale = torch.to(torch.reshape(s[0], [n, 8, 1]), 6) * (self).scale(halves, 0)
    minimum = torch.to(torch.reshape(s[1], [n, 8, 1]), 6) * (self).scale(halves, 1)
    q = (self).float_nibbles(torch.reshape(torch.slice(blocks, 1, 16, 144), [n, 4, 32]))
    x = torch.reshape(q, [n, 8, 32])
    return torch.sub_(torch.mul_(x, scale), minimum)
