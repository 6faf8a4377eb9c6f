  def codes(self: __torch__.Program, words: Tensor, bits: int) -> Tensor:
    # (M, R) words, each row one stream of codes, lowest bits first -> (M, R * 32 / bits) codes in 8 bits
    stream = torch.view_copy(torch.contiguous(words), dtype=0)
    if torch.eq(bits, 8):
      codes = stream
    else:
      if torch.eq(bits, 4):
        # 0xBA -> 0x0B0A: a byte's two codes become the two bytes of 16 bits
        pairs = torch.to(stream, 2)
        pairs = torch.bitwise_and(torch.bitwise_or(pairs, torch.bitwise_left_shift(pairs, 4)), 3855)
        codes = torch.view_copy(pairs, dtype=0)
      else:
        # eight codes of 3 bits lie in three bytes
        rows = torch.size(words, 0)
        triples = torch.to(torch.reshape(stream, [rows, -1, 3]), 3)
        shifts = torch.arange(0, 24, 8, dtype=3, layout=None, device=ops.prim.device(words), pin_memory=None)
        eight = torch.sum(torch.bitwise_left_shift(triples, shifts), [2], True, dtype=3)
        shifts = torch.arange(0, 24, 3, dtype=3, layout=None, device=ops.prim.device(words), pin_memory=None)
        codes = torch.bitwise_and(torch.bitwise_right_shift(eight, shifts), 7)
        codes = torch.reshape(torch.to(codes, 0), [rows, -1])
    return codes
  def zeros(self: __torch__.Program, qzeros: Tensor, bits: int, less_one: bool) -> Tensor:
    # (G, R) words -> (R * 32 / bits, G) zero points. Where 1 was taken from each, it was taken from the whole word:
    # a zero point of 0 had borrowed from the one above. Codes of 3 bits cross words, and wrap within themselves.
    if less_one:
      if torch.eq(bits, 8):
        zeros = (self).codes(torch.add(qzeros, 16843009), bits)
      else:
        if torch.eq(bits, 4):
          zeros = (self).codes(torch.add(qzeros, 286331153), bits)
        else:
          zeros = torch.bitwise_and(torch.add((self).codes(qzeros, bits), 1), 7)
    else:
      zeros = (self).codes(qzeros, bits)
    return torch.contiguous(torch.to(torch.t(zeros), 6))
  def decode(self: __torch__.Program, qweight: Tensor, qzeros: Tensor, scales: Tensor, groups: List[Tensor], bits: int, less_one: bool, step: int, dtype: int) -> Tensor:
    # qweight (in * bits / 32, out), qzeros (G, out * bits / 32), scales (G, out) -> (out, in), step outputs at a time.
    # groups: the group of each input, where they are not of one size and in order.
    outs = torch.size(scales, 1)
    ins = torch.floordiv(torch.mul(torch.size(qweight, 0), 32), bits)
    weight = torch.empty([outs, ins], dtype=dtype, layout=None, device=ops.prim.device(qweight), pin_memory=None, memory_format=None)
    for i in range(torch.floordiv(torch.sub(torch.add(outs, step), 1), step)):
      begin = torch.mul(i, step)
      end = ops.prim.min(torch.add(begin, step), outs)
      first = torch.floordiv(torch.mul(begin, bits), 32)
      last = torch.floordiv(torch.mul(end, bits), 32)
      q = torch.to((self).codes(torch.t(torch.slice(qweight, 1, begin, end)), bits), 6)
      z = (self).zeros(torch.slice(qzeros, 1, first, last), bits, less_one)
      s = torch.contiguous(torch.to(torch.t(torch.slice(scales, 1, begin, end)), 6))
      if torch.eq(torch.len(groups), 0):
        # (C, G, in / G) and (C, G, 1)
        q = torch.reshape(q, [torch.sub(end, begin), torch.size(scales, 0), -1])
        z = torch.unsqueeze(z, 2)
        s = torch.unsqueeze(s, 2)
      else:
        q = q
        z = torch.index_select(z, 1, groups[0])
        s = torch.index_select(s, 1, groups[0])
      q = torch.mul_(torch.sub_(q, z), s)
      part = torch.copy_(torch.slice(weight, 0, begin, end), torch.reshape(q, [torch.sub(end, begin), ins]))
    return weight
