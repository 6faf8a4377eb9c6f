  def decode(self: __torch__.Program, blocks: Tensor, halves: Tensor, shape: List[int], rows: int, columns: int, heads: int, unit_blocks: int, units: int, dtype: int) -> Tensor:
    # blocks [n, block] and halves, the same bytes as float16 [n, block / 2]; a unit is a head or a row
    device = torch.device("$device")
    out = torch.empty([rows, columns], dtype=dtype, layout=None, device=device, pin_memory=False, memory_format=None)
    if heads > 0:
      turned = torch.transpose(torch.reshape(out, [heads, 2, rows // heads // 2, columns]), 1, 2)
      count = heads
    else:
      turned = out
      count = rows
    for i in range((count + units - 1) // units):
      target = torch.slice(turned, 0, i * units, (i + 1) * units)
      begin = i * units * unit_blocks
      end = begin + units * unit_blocks
      b = torch.slice(blocks, 0, begin, end)
      h = torch.slice(halves, 0, begin, end)
      b = torch.to(b, device, ops.prim.dtype(b), False, False)
      h = torch.to(h, device, ops.prim.dtype(h), False, False)
      v = (self).values(b, h)
      _ = torch.copy_(target, torch.reshape(v, torch.size(target)))
    return torch.reshape(out, shape)
