  def values(self: __torch__.Program, blocks: Tensor, halves: Tensor) -> Tensor:
    return torch.to(blocks, 6)
