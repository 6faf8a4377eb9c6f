  def scales(self: __torch__.Program, codes: Tensor, quant_map: Tensor, absmax: Tensor, blocksize: int, offset: float) -> Tensor:
    # codes U8 (N), quant_map (256), absmax (ceil(N / blocksize)) -> (N): product and sum are rounded one by one
    factors = torch.slice(torch.repeat_interleave(absmax, blocksize), 0, 0, torch.len(codes))
    scales = torch.index_select(quant_map, 0, torch.to(codes, 3))
    return torch.add_(torch.mul_(scales, factors), offset)
  def blocks(self: __torch__.Program, packed: Tensor, pairs: Tensor, absmax: Tensor, rounded: int, values: Tensor) -> Tensor:
    # packed U8 (B * S / 2), pairs complex (256), absmax (B) -> values (B * S)
    codes = torch.reshape(torch.view_as_real(torch.index_select(pairs, 0, torch.to(packed, 3))), [torch.len(absmax), -1])
    values = torch.reshape(values, [torch.len(absmax), -1])
    if torch.__and__(torch.eq(ops.prim.dtype(values), 6), torch.eq(rounded, 6)):
      values = torch.mul(codes, torch.unsqueeze(absmax, 1), out=values)
    else:
      codes = torch.mul_(codes, torch.unsqueeze(absmax, 1))
      values = torch.copy_(values, torch.to(codes, rounded))
    return values
  def four_bit(self: __torch__.Program, packed: Tensor, quant_map: Tensor, absmax: Tensor, blocksize: int, shape: List[int], rounded: int, dtype: int, step: int) -> Tensor:
    # packed U8 (ceil(N / 2)), quant_map (16), absmax (ceil(N / blocksize)) -> shape, step blocks at a time, each value rounded to
    # one type and then to the other
    count = 1
    for i in range(torch.len(shape)):
      count = torch.mul(count, shape[i])
    # both values of a byte at once: two of 32 bits are one complex number of 64, which are looked up three times as fast
    pairs = torch.view_as_complex(torch.stack([torch.repeat_interleave(quant_map, 16), torch.repeat(quant_map, [16])], 1))
    values = torch.empty([torch.mul(torch.len(packed), 2)], dtype=dtype, layout=None, device=ops.prim.device(packed), pin_memory=None, memory_format=None)
    full = torch.floordiv(count, blocksize)
    half = torch.floordiv(blocksize, 2)
    for i in range(torch.floordiv(torch.sub(torch.add(full, step), 1), step)):
      begin = torch.mul(i, step)
      end = ops.prim.min(torch.add(begin, step), full)
      bytes = torch.slice(packed, 0, torch.mul(begin, half), torch.mul(end, half))
      done = (self).blocks(bytes, pairs, torch.slice(absmax, 0, begin, end), rounded, torch.slice(values, 0, torch.mul(begin, blocksize), torch.mul(end, blocksize)))
    if torch.gt(torch.len(absmax), full):
      done = (self).blocks(torch.slice(packed, 0, torch.mul(full, half)), pairs, torch.slice(absmax, 0, full), rounded, torch.slice(values, 0, torch.mul(full, blocksize)))
    return torch.reshape(torch.slice(values, 0, 0, count), shape)
  def int8(self: __torch__.Program, codes: Tensor, absmax: Tensor, dtype: int, step: int) -> Tensor:
    # codes I8 (out, in), absmax (out) -> (out, in), step rows at a time; 1 / 127 as the reference rounds it
    rows = torch.len(absmax)
    values = torch.empty_like(codes, dtype=dtype, layout=None, device=None, pin_memory=None, memory_format=None)
    for i in range(torch.floordiv(torch.sub(torch.add(rows, step), 1), step)):
      begin = torch.mul(i, step)
      end = ops.prim.min(torch.add(begin, step), rows)
      part = torch.to(torch.slice(codes, 0, begin, end), 6)
      part = torch.mul_(torch.mul_(part, torch.unsqueeze(torch.slice(absmax, 0, begin, end), 1)), 0.007874015718698502)
      done = torch.copy_(torch.slice(values, 0, begin, end), part)
    return values
