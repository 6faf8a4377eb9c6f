  def map_file(self: __torch__.Program, path: str, elements: int, dtype: int) -> Tensor:
    return torch.from_file(path, False, elements, dtype=dtype)
  def part(self: __torch__.Program, x: Tensor, start: int, shape: List[int]) -> Tensor:
    n = 1
    for i in range(torch.len(shape)):
      n = n * shape[i]
    return torch.reshape(torch.slice(x, 0, start, start + n), shape)
  def copied(self: __torch__.Program, x: Tensor, to: Tensor) -> Tensor:
    return torch.copy_(to, x)
  def to_dtype(self: __torch__.Program, x: Tensor, dtype: int) -> Tensor:
    return torch.to(x, dtype)
  def to_device(self: __torch__.Program, x: Tensor) -> Tensor:
    return torch.to(x, torch.device("$device"), ops.prim.dtype(x), False, False)
  def transposed(self: __torch__.Program, x: Tensor) -> Tensor:
    return torch.contiguous(torch.t(x))
  def rows(self: __torch__.Program, x: Tensor, index: Tensor) -> Tensor:
    return torch.index_select(x, 0, index)
  def concatenated(self: __torch__.Program, parts: List[Tensor]) -> Tensor:
    return torch.cat(parts, 0)
