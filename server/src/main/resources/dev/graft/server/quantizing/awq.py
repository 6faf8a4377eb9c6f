  def codes(self: __torch__.Program, words: Tensor) -> Tensor:
    # (M, R) words -> (8 * R, M) codes: the even four of a word's eight columns lie in its low half, the odd in its high
    nibbles = torch.arange(8, dtype=3, layout=None, device=ops.prim.device(words), pin_memory=None)
    shifts = torch.reshape(torch.mul(torch.t(torch.reshape(nibbles, [2, 4])), 4), [1, 8, 1])
    columns = torch.unsqueeze(torch.contiguous(torch.t(words)), 1)
    codes = torch.bitwise_and_(torch.bitwise_right_shift(columns, shifts), 15)
    return torch.to(torch.flatten(codes, 0, 1), 6)
  def decode(self: __torch__.Program, qweight: Tensor, qzeros: Tensor, scales: Tensor, step: int, dtype: int) -> Tensor:
    # qweight (in, out / 8), qzeros (G, out / 8), scales (G, out) -> (out, in), step outputs at a time
    outs = torch.size(scales, 1)
    ins = torch.size(qweight, 0)
    weight = torch.empty([outs, ins], dtype=dtype, layout=None, device=ops.prim.device(qweight), pin_memory=None, memory_format=None)
    for i in range(torch.floordiv(torch.sub(torch.add(outs, step), 1), step)):
      begin = torch.mul(i, step)
      end = ops.prim.min(torch.add(begin, step), outs)
      first = torch.floordiv(begin, 8)
      last = torch.floordiv(end, 8)
      # (C, G, in / G) and (C, G, 1)
      q = torch.reshape((self).codes(torch.slice(qweight, 1, first, last)), [torch.sub(end, begin), torch.size(scales, 0), -1])
      z = (self).codes(torch.slice(qzeros, 1, first, last))
      s = torch.contiguous(torch.to(torch.t(torch.slice(scales, 1, begin, end)), 6))
      q = torch.mul_(torch.sub_(q, torch.unsqueeze(z, 2)), torch.unsqueeze(s, 2))
      part = torch.copy_(torch.slice(weight, 0, begin, end), torch.reshape(q, [torch.sub(end, begin), ins]))
    return weight
